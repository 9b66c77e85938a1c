"""Who the customers are: invented people with the names their countries have."""

import datetime as dt
from typing import NamedTuple

from feed.draws import Draws

SIGNED_UP_WITHIN_DAYS = 540

# Country, its weight, then given and family names, each with the spelling its owner uses in mail.
_Name = tuple[str, str]
_COUNTRIES: tuple[tuple[str, int, tuple[_Name, ...], tuple[_Name, ...]], ...] = (
    (
        "US",
        9,
        (("Olivia", "olivia"), ("Liam", "liam"), ("Renée", "renee"), ("José", "jose")),
        (("Smith", "smith"), ("O'Brien", "obrien"), ("Garcia", "garcia"), ("King, Jr.", "king")),
    ),
    (
        "GB",
        5,
        (("Siân", "sian"), ("Amelia", "amelia"), ("Harry", "harry"), ("Mary-Jane", "maryjane")),
        (("Jones", "jones"), ("Fitz-Gerald", "fitzgerald"), ("Null", "null"), ("Shah", "shah")),
    ),
    (
        "DE",
        6,
        (("Jürgen", "juergen"), ("Anneliese", "anneliese"), ("Sören", "soeren"), ("Mia", "mia")),
        (("Müller", "mueller"), ("Weiß", "weiss"), ("von der Heide", "vdheide"), ("Öz", "oez")),
    ),
    (
        "NL",
        5,
        (("Zoë", "zoe"), ("Daan", "daan"), ("Noor", "noor"), ("Jan 'Jantje'", "jan")),
        (("de Vries", "devries"), ("van 't Hof", "vanthof"), ("IJsbrand", "ijsbrand")),
    ),
    (
        "FR",
        4,
        (("Chloé", "chloe"), ("François", "francois"), ("Maëlle", "maelle"), ("Noël", "noel")),
        (("Lefèvre", "lefevre"), ("d'Œuvre", "doeuvre"), ("Dupont, fils", "dupont")),
    ),
    (
        "ES",
        4,
        (("Íñigo", "inigo"), ("Lucía", "lucia"), ("Begoña", "begona")),
        (("Núñez", "nunez"), ("Peña y Ortiz", "pena"), ("García", "garcia")),
    ),
    (
        "PL",
        3,
        (("Łukasz", "lukasz"), ("Małgorzata", "malgorzata"), ("Żaneta", "zaneta")),
        (("Wójcik", "wojcik"), ("Dąbrowski", "dabrowski"), ("Śliwa", "sliwa")),
    ),
    (
        "NO",
        2,
        (("Bjørn", "bjorn"), ("Åse", "ase"), ("Sølvi", "solvi")),
        (("Ødegård", "odegard"), ("Nygård", "nygard"), ("Bø", "bo")),
    ),
    (
        "TR",
        2,
        (("İlker", "ilker"), ("Ayşe", "ayse"), ("Çağla", "cagla")),
        (("Yılmaz", "yilmaz"), ("Gökçe", "gokce"), ("Şahin", "sahin")),  # noqa: RUF001 (real names)
    ),
    (
        "GR",
        2,
        (("Γιώργος", "giorgos"), ("Ελένη", "eleni"), ("Μαρία", "maria")),
        (("Παπαδόπουλος", "papadopoulos"), ("Νικολάου", "nikolaou")),
    ),
    (
        "JP",
        3,
        (("太郎", "taro"), ("さくら", "sakura"), ("ユウキ", "yuki")),
        (("山田", "yamada"), ("佐藤", "sato"), ("髙橋", "takahashi")),
    ),
    (
        "VN",
        2,
        (("Đức", "duc"), ("Thảo", "thao"), ("Quỳnh", "quynh")),
        (("Nguyễn", "nguyen"), ("Trần", "tran"), ("Phạm", "pham")),
    ),
    (
        "EG",
        2,
        (("أحمد", "ahmed"), ("ليلى", "layla"), ("يوسف", "youssef")),
        (("حسن", "hassan"), ("منصور", "mansour")),
    ),
    (
        "IN",
        4,
        (("आरव", "aarav"), ("Diya", "diya"), ("காவ்யா", "kavya")),
        (("शर्मा", "sharma"), ("Iyer", "iyer"), ("Khan", "khan")),
    ),
    (
        "BR",
        3,
        (("João", "joao"), ("Conceição", "conceicao"), ('Edson "Pelé"', "edson")),
        (("Silva", "silva"), ("Araújo", "araujo"), ("Gonçalves", "goncalves")),
    ),
    (
        "ID",
        2,
        (("Suharti", "suharti"), ("Budi", "budi"), ("Sukarno", "sukarno")),
        (("", "mono"), ("Wijaya", "wijaya")),  # many people here have one name
    ),
)
_COUNTRY_DRAW = tuple(entry for entry in _COUNTRIES for _ in range(entry[1]))
_PROVIDERS = ("post.example", "mail.example", "correo.example", "in.box.example")


class Customer(NamedTuple):
    """What stays the same of one customer, whichever day or system tells of them."""

    customer_id: str
    first_name: str
    last_name: str
    email: str
    country: str
    signup_date: dt.date
    orders: int
    cents_an_order: int
    premium: bool


def customer(seed: int, number: int, before: dt.date) -> Customer:
    """Customer `number` of the world `seed`, who signed up before the day `before`."""
    draws = Draws(seed, "customer", number)
    country, _, given, family = draws.one_of(_COUNTRY_DRAW)
    first_name, first_mail = draws.one_of(given)
    last_name, last_mail = draws.one_of(family)
    return Customer(
        customer_id=f"C{number:09d}",
        first_name=first_name,
        last_name=last_name,
        email=f"{first_mail}.{last_mail}{number % 1000}@{draws.one_of(_PROVIDERS)}",
        country=country,
        signup_date=before - dt.timedelta(days=1 + draws.below(SIGNED_UP_WITHIN_DAYS)),
        orders=draws.below(60),
        cents_an_order=499 + draws.below(14_000),
        premium=draws.chance(180),
    )
