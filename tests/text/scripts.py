"""Lines that are easily changed on their way through a tokenizer, by script."""

SCRIPTS = {
    "latin": "Il a dit\u00a0: «\u202f10\u202f000\u00a0€, l’œuvre ﬁnie\u202f!\u202f»",
    "vietnamese": "Tiếng Việt: đường, Tie\u0302\u0301ng Vie\u0323\u0302t",
    "turkish": "ışık, İstanbul, çığ",
    "greek": "Ὀδυσσεύς, ΟΔΥΣΣΕΥΣ; ἀλλ᾽ ἐγώ· Ωμέγα Ω Ω",
    "cyrillic": "Съешь ещё этих булок, й и\u0306, №5",
    "georgian": "თბილისი, საქართველო",
    "armenian": "Բարեւ՝ աշխարհ։ և եւ",
    "hebrew": "\u200fשלום, עולם!\u200f שָׁלוֹם צה״ל",
    "arabic": "مرحبًا، العالم؟ ﷺ ١٢٣ لا ﻻ كتـــاب \u0601",
    "persian": "می\u200cخواهم کتاب\u200cها را بخوانم",
    "urdu": "میں اردو بولتا ہوں۔ ہٰذا",
    "hindi": "क्\u200cष क्ष क्\u200dष, हिन्दी। क़ क\u093c",
    "bengali": "বাংলা ভাষা র\u200d্যাব ড় ড\u09bc",
    "tamil": "தமிழ் மொழி கொ கெ\u0bbe",
    "sinhala": "ශ්\u200dරී ලංකාව",
    "malayalam": "മലയാളം ന്\u200d ൻ",
    "thai": "น้ำทำงาน ภาษาไทย เเ แ",
    "lao": "ພາສາລາວ ນໍ້າ ນ\u0ecd\u0ec9\u0eb2",
    "khmer": "សួស្តី\u200bបង ខ្ញុំ\u200bស្រលាញ់\u200bអ្នក",
    "myanmar": "မြန်မာစာ ဦး",
    "tibetan": "བོད་ཡིག ༄༅།",
    "chinese": "你好，世界！（１２３）“引号”…… 金\uf90a\u3000全角ＡＢＣ～",
    "japanese": "カタカナ ｶﾀｶﾅ がか\u3099\u3000「引用」。㈱ ㍿ ①",
    "korean": "ㅋㅋㅋ 진짜 좋아요 ㅠㅠ 한글 \u1112\u1161\u11ab ㈜ \u3164",
    "mongolian": "ᠮᠣᠩᠭᠣᠯ\u180eᠠ ᠪᠢᠴᠢᠭ",
    "ethiopic": "ሰላም፡ዓለም።",
    "cherokee": "ᏣᎳᎩ ꮳꮃꭹ",
    "mathematics": "x² + ½ ≠ 𝒙₂ Å Å 20 m² Nº 1ᵉʳ ™ ℃ ﬃ",
    "emoji": "👩🏽‍🚀 ❤️ ❤ 👨\u200d👩\u200d👧 🇰🇷 1️⃣ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 ☎︎",
    "format": "\ufeffhello so\u00adft\u2060 w\u200bx \u202ay\u202c \u061c",
    "rare": "\ue000 \U000f0000 \u0378 \ufffd \uffff \U0010ffff \u034f \u115f",
    "marks": "'a' \"b\"(c)d-e_f.g,h'i …--'' \u2047 a\u2047 \u2028 \u0085x\u0092y \x7f",
    "spelled": "<s> a</s>b <unk> <pad> <0x41> &lt; %s \u2581 a\u2581b \u2585c\u2585",
}


def single_spaced(line):
    """The line with a space for each run of blanks, and none at its ends."""
    spaced = "".join(character if character > " " else " " for character in line)
    return " ".join(word for word in spaced.split(" ") if word)
