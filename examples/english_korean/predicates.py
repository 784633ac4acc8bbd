"""The verbs and adjectives of the corpus, and what each can be said of."""

from dataclasses import dataclass

from .conjugation import Verb

MODAL = "progressive past future can must want please propose"

# "cannot wait" would mean that somebody looks forward to it
WAITING = MODAL.replace("can ", "")


@dataclass(frozen=True)
class Action:
    """One use of a verb: what it can be done to, where, how often and by whom.

    Every listed object goes with every listed place.

    Args:
        verb: a key of `VERBS`.
        objects: things, separated by spaces; `"people"` for persons.
        places: places, separated by spaces.
        rhythm: `"daily"` or `"weekly"` for what is done by habit, `""` for what is
            not.
        subjects: who does it: `""` anybody, `"adults"`, or words separated by
            spaces.
        article: of countable objects: `"any"`, `"a"`, `"the"`, `"some"` (not yet
            known) or `"own"` (somebody's own).
        tenses: besides habits, separated by spaces.
        preposition: of the place; empty for the place's own.
    """

    verb: str
    objects: str = ""
    places: str = ""
    rhythm: str = ""
    subjects: str = ""
    article: str = "any"
    tenses: str = MODAL
    preposition: str = ""


VERBS = {
    "read": Verb("읽"),
    "write": Verb("쓰"),
    "eat": Verb("먹", honorific="드시"),
    "drink": Verb("마시", honorific="드시"),
    "buy": Verb("사"),
    "sell": Verb("팔"),
    "make": Verb("만들"),
    "watch": Verb("보"),
    "listen": Verb("듣", "ㄷ"),
    "sing": Verb("부르", "르"),
    "choose": Verb("고르", "르"),
    "study": Verb("공부하"),
    "learn": Verb("배우"),
    "teach": Verb("가르치"),
    "clean": Verb("청소하"),
    "wait": Verb("기다리"),
    "meet": Verb("만나"),
    "help": Verb("돕", "ㅂ"),
    "call": Verb("전화하", humble="전화드리"),
    "give": Verb("주", humble="드리"),
    "send": Verb("보내", humble="보내 드리"),
    "show": Verb("보여 주", humble="보여 드리"),
    "open": Verb("열"),
    "close": Verb("닫"),
    "use": Verb("사용하"),
    "lose": Verb("잃어버리"),
    "look": Verb("찾"),
    "wear": Verb("입"),
    "draw": Verb("그리"),
    "play": Verb("하"),
    "borrow": Verb("빌리"),
    "ride": Verb("타"),
    "fix": Verb("고치"),
    "build": Verb("짓", "ㅅ"),
    "go": Verb("가"),
    "come": Verb("오"),
    "arrive": Verb("도착하"),
    "live": Verb("살"),
    "sleep": Verb("자", honorific="주무시"),
    "rest": Verb("쉬"),
    "walk": Verb("걷", "ㄷ"),
    "swim": Verb("수영하"),
    "dance": Verb("춤을 추"),
    "work": Verb("일하"),
    "talk": Verb("이야기하"),
    "like": Verb("좋아하"),
    "know": Verb("알", opposite=Verb("모르", "르")),
    "need": Verb("필요하"),
    "have": Verb("있", opposite=Verb("없")),
    "rain": Verb("비가 오"),
    "snow": Verb("눈이 오"),
}
# the preposition between an English verb and its object
VERB_PREPOSITIONS = {"listen": "to", "wait": "for", "look": "for"}
# Korean treats what is had or needed as the subject
SUBJECT_OBJECTS = ("have", "need")

SHOPKEEPERS = "farmer Minji Jihun Sumin Yuna grandmother grandfather mother"
BUILDERS = "farmer soldier father grandfather Dooli Jihun Hyejin we"
TEACHERS = "teacher teacher writer singer mother father I Minji Sumin Yuna Hyejin"
ACTIONS = (
    Action("read", "book newspaper magazine novel", "library cafe park home", "daily"),
    Action("read", "letter poem", "home office garden classroom", "weekly"),
    Action("write", "letter poem novel", "library home cafe office", "weekly"),
    Action("eat", "apple bread egg sandwich grapes", "kitchen home park", "daily"),
    Action("eat", "meat fish soup pizza cake", "restaurant home hotel", "daily"),
    Action("eat", "breakfast lunch dinner", "restaurant home hotel", "daily"),
    Action("drink", "water milk juice", "kitchen home restaurant", "daily"),
    Action("drink", "coffee tea", "cafe office home hotel", "daily", "adults"),
    Action("buy", "bread cake sandwich", "bakery store", "weekly"),
    Action("buy", "apple egg fish meat grapes vegetables", "market store", "weekly"),
    Action("buy", "book dictionary magazine novel", "bookstore", "weekly"),
    Action("buy", "bag coat shirt sweater clock umbrella wallet", "market store"),
    Action("buy", "computer bicycle phone chair desk", "store Seoul Busan Daegu"),
    Action("buy", "ticket", "station airport theater museum stadium", article="a"),
    Action("sell", "vegetables apple grapes flower", "market", "daily", SHOPKEEPERS),
    Action("sell", "fish egg meat", "market village", "weekly", SHOPKEEPERS),
    Action("sell", "house bicycle computer clock", "Seoul Busan", "", "adults"),
    Action("make", "cake bread soup pizza sandwich", "kitchen home", "weekly"),
    Action("make", "breakfast lunch dinner", "kitchen home", "daily"),
    Action("watch", "movie", "theater home hotel", "weekly"),
    Action("watch", "television", "home hotel", "daily"),
    Action("watch", "soccer baseball basketball", "stadium home", "weekly"),
    Action("listen", "music radio", "home cafe office kitchen park", "daily"),
    Action("sing", "song", "park classroom theater home beach", "weekly"),
    Action("choose", "gift bag coat shirt sweater clock", "store market"),
    Action("choose", "book novel magazine dictionary", "bookstore library"),
    Action("study", "Korean English history math", "library school home", "daily"),
    Action("study", "science music", "university school", "daily"),
    Action("learn", "Korean English math music", "school university", "weekly"),
    Action("learn", "history science", "museum school university", "weekly"),
    Action(
        "teach", "Korean English history math", "school university", "weekly", TEACHERS
    ),
    Action("teach", "science music", "school university", "weekly", TEACHERS),
    Action("clean", "room house", "", "weekly", article="the"),
    Action("wait", "bus train taxi", "station", "daily", "", "the", WAITING),
    Action("wait", "plane", "airport", "", "", "the", WAITING),
    Action(
        "wait", "people", "station airport cafe hospital park hotel", tenses=WAITING
    ),
    Action("meet", "people", "cafe park restaurant station library", "weekly"),
    Action("help", "people", "hospital school market farm station airport", "weekly"),
    Action("open", "door window", "classroom office kitchen", "daily", article="the"),
    Action("open", "box bag", article="the"),
    Action("close", "door window", "classroom office", "daily", article="the"),
    Action("use", "computer phone", "office library home", "daily", "", "own"),
    Action("use", "dictionary", "classroom library home", "daily", "", "own"),
    Action(
        "lose",
        "wallet key bag umbrella phone ticket money",
        "station park market theater beach stadium airport",
        article="own",
        tenses="past",
    ),
    Action(
        "look", "key wallet bag phone umbrella ticket", "home office", "", "", "the"
    ),
    Action("look", "dog cat", "park village farm", "", "", "the"),
    Action("wear", "coat shirt sweater", article="own"),
    Action("draw", "flower tree bird cat dog", "park garden classroom", "weekly"),
    Action("draw", "horse picture bridge", "river village beach", "weekly"),
    Action("play", "soccer baseball basketball", "park stadium school", "weekly"),
    Action(
        "borrow",
        "book novel dictionary magazine",
        "library",
        "weekly",
        article="some",
        preposition="from",
    ),
    Action("borrow", "umbrella bicycle", "hotel", "", "", "a", MODAL, "from"),
    Action("ride", "bicycle", "park beach village school", "weekly", "", "a"),
    Action("ride", "horse", "farm beach village", "weekly", "", "a"),
    Action("fix", "computer clock chair phone", "home office", article="own"),
    Action("fix", "bicycle car", "home store", article="own"),
    Action(
        "build",
        "house bridge",
        "village Seoul Busan Daegu",
        "",
        BUILDERS,
        "a",
        "progressive past future can must want",
    ),
    Action("sleep", "", "home hotel"),
    Action("rest", "", "home park beach hotel garden", "weekly"),
    Action("walk", "", "park beach garden village", "daily"),
    Action("swim", "", "river beach hotel", "weekly"),
    Action("dance", "", "park theater hotel beach", "weekly"),
    Action("work", "", "office hospital restaurant farm bank", "daily", "adults"),
    Action("work", "", "school hotel museum airport bakery", "daily", "adults"),
    Action("talk", "people", "cafe park office classroom restaurant", "weekly"),
)
GIFTS = {
    "give": "gift book flower money ticket apple",
    "send": "letter gift money photo flower",
    "show": "photo picture letter ticket",
    "teach": "Korean English math history",
    "call": "",
}
DESTINATIONS = (
    "home library school university office hospital restaurant cafe market store "
    "bakery bookstore bank museum theater station airport hotel stadium park beach "
    "farm village Seoul Busan Daegu"
)
ARRIVALS = "school office station airport hotel museum theater Seoul Busan Daegu"
HOMES = "village Seoul Busan Daegu"
STATES = {
    "like": (
        "coffee tea milk bread cake apple fish music movie soccer baseball "
        "flower dog cat novel math history song horse"
    ),
    "need": (
        "money ticket umbrella computer dictionary bicycle coat chair desk clock water"
    ),
    "have": "bicycle computer dog cat car phone umbrella ticket money dictionary key",
    "know": "people",
}


@dataclass(frozen=True)
class Adjective:
    """An adjective and the nouns it is said of.

    Args:
        korean: its translation.
        nouns: things and places, separated by spaces; `"people"` for persons.
        adnominal: a word for it before a noun, of an adjective that stands there
            only; empty for the regular form.
    """

    korean: Verb
    nouns: str
    adnominal: str = ""


ADJECTIVES = {
    "big": Adjective(Verb("크"), "bag box room house dog car tree fish park store"),
    "small": Adjective(Verb("작"), "bag box room house dog cat bird desk village cafe"),
    "expensive": Adjective(Verb("비싸"), "bag bicycle car computer coat clock hotel"),
    "cheap": Adjective(Verb("싸"), "apple bread shirt ticket coat umbrella fish"),
    "pretty": Adjective(Verb("예쁘"), "flower bag clock picture garden cat bird"),
    "beautiful": Adjective(Verb("아름답", "ㅂ"), "song beach garden poem river photo"),
    "hot": Adjective(Verb("뜨겁", "ㅂ"), "coffee tea soup water milk"),
    "cold": Adjective(Verb("차갑", "ㅂ"), "water milk juice coffee"),
    "delicious": Adjective(
        Verb("맛있"), "bread cake soup pizza meat grapes lunch dinner sandwich"
    ),
    "interesting": Adjective(
        Verb("재미있"), "book novel movie magazine history science museum"
    ),
    "difficult": Adjective(Verb("어렵", "ㅂ"), "book math Korean English science poem"),
    "easy": Adjective(Verb("쉽", "ㅂ"), "book math Korean English song"),
    "heavy": Adjective(Verb("무겁", "ㅂ"), "bag box desk computer chair clock"),
    "light": Adjective(Verb("가볍", "ㅂ"), "bag coat bicycle chair umbrella phone"),
    "long": Adjective(Verb("길"), "letter novel movie poem bridge song"),
    "short": Adjective(Verb("짧"), "letter novel movie poem song"),
    "fast": Adjective(Verb("빠르", "르"), "train bus bicycle car horse computer"),
    "slow": Adjective(Verb("느리"), "train bus computer horse taxi"),
    "quiet": Adjective(Verb("조용하"), "library cafe room house village park hotel"),
    "red": Adjective(Verb("빨갛", "ㅎ"), "apple bag flower coat umbrella sweater"),
    "white": Adjective(Verb("하얗", "ㅎ"), "flower shirt cat dog coat bird horse"),
    "new": Adjective(
        Verb("새롭", "ㅂ"),
        "bag computer bicycle car phone desk chair clock house shirt",
        adnominal="새",
    ),
    "busy": Adjective(Verb("바쁘"), "people"),
    "tired": Adjective(Verb("피곤하"), "people"),
    "sick": Adjective(Verb("아프", honorific="편찮으시"), "people"),
    "kind": Adjective(Verb("친절하"), "people"),
    "healthy": Adjective(Verb("건강하"), "people"),
    "tall": Adjective(Verb("키가 크"), "people"),
    "hungry": Adjective(Verb("배가 고프"), "people"),
    "famous": Adjective(Verb("유명하"), "people"),
}
WEATHER = {
    "cold": Verb("날씨가 춥", "ㅂ"),
    "hot": Verb("날씨가 덥", "ㅂ"),
    "warm": Verb("날씨가 따뜻하"),
}
# what bad weather and good weather are a reason for
INDOORS = "read write eat drink make watch listen sing study rest dance talk"
OUTDOORS = "read eat sing rest play walk draw ride swim dance talk"
# what one does after another on an ordinary day
EVERYDAY = (
    "read write eat drink buy make watch listen study clean meet sing draw learn fix"
)
# what one asks for as a favour, with 아/어 주세요
FAVORS = "open close help call send teach clean make fix wait sing look"
# what is done to a place (에) rather than in it (에서)
STATIC = "build live arrive"
# what takes longer than a day or a week
SLOW = "build"
