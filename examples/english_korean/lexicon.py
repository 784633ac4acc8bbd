"""The nouns, people, places, times and forms of address of the corpus."""

from dataclasses import dataclass

VOCATIVES = {"Sir": "선생님", "Professor": "교수님", "Everyone": "여러분"}


@dataclass(frozen=True)
class Person:
    """A person word.

    Args:
        korean: its translation.
        kind: `"name"`, `"role"` (the student), `"mine"` (my friend) or `"elder"`
            (my grandmother).
        honored: verbs honour this person. Defaults to `False`.
    """

    korean: str
    kind: str
    honored: bool = False


PEOPLE = {
    "Dooli": Person("둘리", "name"),
    "Minji": Person("민지", "name"),
    "Jihun": Person("지훈", "name"),
    "Sumin": Person("수민", "name"),
    "Yuna": Person("유나", "name"),
    "Hyejin": Person("혜진", "name"),
    "student": Person("학생", "role"),
    "doctor": Person("의사", "role"),
    "nurse": Person("간호사", "role"),
    "singer": Person("가수", "role"),
    "writer": Person("작가", "role"),
    "farmer": Person("농부", "role"),
    "chef": Person("요리사", "role"),
    "lawyer": Person("변호사", "role"),
    "soldier": Person("군인", "role"),
    "actor": Person("배우", "role"),
    "child": Person("아이", "role"),
    "tourist": Person("관광객", "role"),
    "friend": Person("친구", "mine"),
    "cousin": Person("사촌", "mine"),
    "grandmother": Person("할머니", "elder", honored=True),
    "grandfather": Person("할아버지", "elder", honored=True),
    "mother": Person("어머니", "elder", honored=True),
    "father": Person("아버지", "elder", honored=True),
    "teacher": Person("선생님", "role", honored=True),
}
PROFESSIONS = "student doctor nurse singer writer farmer chef lawyer soldier actor"


@dataclass(frozen=True)
class Thing:
    """A thing word.

    Args:
        korean: its translation.
        kind: `"count"` (a book), `"mass"` (bread, the bread), `"plural"` (grapes),
            `"bare"` (breakfast) or `"the"` (the radio).
        counter: the Korean word that counts it; empty if it is not counted.
        own: whether "my" may stand before it. Defaults to `False`.
    """

    korean: str
    kind: str = "count"
    counter: str = ""
    own: bool = False


THINGS = {
    # to read and write
    "book": Thing("책", counter="권", own=True),
    "newspaper": Thing("신문"),
    "letter": Thing("편지", counter="통"),
    "magazine": Thing("잡지", counter="권"),
    "novel": Thing("소설", counter="권"),
    "poem": Thing("시", counter="편"),
    "dictionary": Thing("사전", counter="권", own=True),
    # to eat and drink
    "apple": Thing("사과", counter="개"),
    "egg": Thing("달걀", counter="개"),
    "sandwich": Thing("샌드위치", counter="개"),
    "bread": Thing("빵", "mass"),
    "cake": Thing("케이크", "mass"),
    "meat": Thing("고기", "mass"),
    "fish": Thing("생선", "mass"),
    "soup": Thing("수프", "mass"),
    "pizza": Thing("피자", "mass"),
    "grapes": Thing("포도", "plural"),
    "vegetables": Thing("채소", "plural"),
    "breakfast": Thing("아침", "bare"),
    "lunch": Thing("점심", "bare"),
    "dinner": Thing("저녁", "bare"),
    "water": Thing("물", "mass"),
    "milk": Thing("우유", "mass"),
    "juice": Thing("주스", "mass"),
    "coffee": Thing("커피", "mass"),
    "tea": Thing("차", "mass"),
    # to own
    "bag": Thing("가방", counter="개", own=True),
    "wallet": Thing("지갑", own=True),
    "key": Thing("열쇠", own=True),
    "phone": Thing("휴대폰", own=True),
    "umbrella": Thing("우산", counter="개", own=True),
    "computer": Thing("컴퓨터", counter="대", own=True),
    "bicycle": Thing("자전거", counter="대", own=True),
    "car": Thing("자동차", own=True),
    "clock": Thing("시계", counter="개"),
    "chair": Thing("의자", counter="개"),
    "desk": Thing("책상"),
    "box": Thing("상자", counter="개"),
    "ticket": Thing("표", counter="장"),
    "photo": Thing("사진", counter="장"),
    "picture": Thing("그림", counter="장"),
    "gift": Thing("선물"),
    "money": Thing("돈", "mass"),
    "coat": Thing("코트", own=True),
    "shirt": Thing("셔츠", own=True),
    "sweater": Thing("스웨터", own=True),
    # at home and outside
    "door": Thing("문"),
    "window": Thing("창문"),
    "room": Thing("방", own=True),
    "house": Thing("집"),
    "bridge": Thing("다리"),
    "flower": Thing("꽃", counter="송이"),
    "tree": Thing("나무", counter="그루"),
    "dog": Thing("개", counter="마리"),
    "cat": Thing("고양이", counter="마리"),
    "bird": Thing("새", counter="마리"),
    "horse": Thing("말", counter="마리"),
    "bus": Thing("버스"),
    "train": Thing("기차"),
    "taxi": Thing("택시"),
    "plane": Thing("비행기"),
    # to hear, see, learn and play
    "music": Thing("음악", "bare"),
    "song": Thing("노래"),
    "radio": Thing("라디오", "the"),
    "television": Thing("텔레비전", "bare"),
    "movie": Thing("영화"),
    "Korean": Thing("한국어", "bare"),
    "English": Thing("영어", "bare"),
    "history": Thing("역사", "bare"),
    "math": Thing("수학", "bare"),
    "science": Thing("과학", "bare"),
    "soccer": Thing("축구", "bare"),
    "baseball": Thing("야구", "bare"),
    "basketball": Thing("농구", "bare"),
}
MEALS = ("breakfast", "lunch", "dinner")
NUMBERS = {"two": "두", "three": "세", "four": "네"}
DEMONSTRATIVES = {"this": "이", "that": "그"}


@dataclass(frozen=True)
class Place:
    """A place word.

    Args:
        korean: its translation.
        preposition: the English preposition of being there. Defaults to `"at"`.
        outdoors: whether weather decides about going there.
        city: a proper name, without an article.
    """

    korean: str
    preposition: str = "at"
    outdoors: bool = False
    city: bool = False


PLACES = {
    "home": Place("집"),
    "library": Place("도서관"),
    "school": Place("학교"),
    "university": Place("대학교"),
    "classroom": Place("교실", "in"),
    "office": Place("사무실"),
    "hospital": Place("병원"),
    "kitchen": Place("부엌", "in"),
    "restaurant": Place("식당"),
    "cafe": Place("카페"),
    "market": Place("시장"),
    "store": Place("가게"),
    "bakery": Place("빵집"),
    "bookstore": Place("서점"),
    "bank": Place("은행"),
    "museum": Place("박물관"),
    "theater": Place("극장"),
    "station": Place("역"),
    "airport": Place("공항"),
    "hotel": Place("호텔"),
    "stadium": Place("경기장", outdoors=True),
    "park": Place("공원", "in", outdoors=True),
    "garden": Place("정원", "in", outdoors=True),
    "beach": Place("해변", outdoors=True),
    "river": Place("강", outdoors=True),
    "farm": Place("농장", outdoors=True),
    "village": Place("마을", "in", outdoors=True),
    "Seoul": Place("서울", "in", outdoors=True, city=True),
    "Busan": Place("부산", "in", outdoors=True, city=True),
    "Daegu": Place("대구", "in", outdoors=True, city=True),
}
CITIES = tuple(word for word, place in PLACES.items() if place.city)
SPOTS = {"on": "위에", "under": "아래에", "in": "안에"}
MEANS = {
    "bus": ("library school hospital market museum station beach", "버스"),
    "taxi": ("hospital station airport hotel theater university office", "택시"),
    "bicycle": ("library school park market bookstore farm village", "자전거"),
    "train": ("Seoul Busan Daegu", "기차"),
    "plane": ("Seoul Busan Daegu", "비행기"),
}


@dataclass(frozen=True)
class Time:
    """An expression of time.

    Args:
        korean: its translation.
        tenses: the tenses it goes with, separated by spaces; `"daily"` and
            `"weekly"` are presents of habits.
        middle: stands before the English main verb. Defaults to `False`.
        part_of_day: names an hour, so meals do not go with it.
        negative: goes with a negated verb. Defaults to `True`.
        question: goes with a question. Defaults to `True`.
    """

    korean: str
    tenses: str
    middle: bool = False
    part_of_day: bool = False
    negative: bool = True
    question: bool = True


TIMES = {
    "every day": Time("매일", "daily", negative=False),
    "every week": Time("매주", "weekly", negative=False),
    "on weekends": Time("주말에", "daily weekly"),
    "these days": Time("요즘", "daily weekly"),
    "often": Time("자주", "daily weekly", middle=True),
    "always": Time("항상", "daily", middle=True, negative=False),
    "sometimes": Time(
        "가끔", "daily weekly", middle=True, negative=False, question=False
    ),
    "now": Time("지금", "progressive please"),
    "yesterday": Time("어제", "past"),
    "last week": Time("지난주에", "past"),
    "last month": Time("지난달에", "past"),
    "this morning": Time("오늘 아침에", "past", part_of_day=True),
    "today": Time("오늘", "can must want please propose"),
    "tomorrow": Time("내일", "future can must want please propose"),
    "next week": Time("다음 주에", "future"),
    "this weekend": Time("이번 주말에", "future must want propose"),
    "this evening": Time(
        "오늘 저녁에", "future can must want propose", part_of_day=True
    ),
}
