"""Make this folder's data: a small software company's contacts, invented from a fixed seed.

The data is synthetic: no row stands for a real person or company. It is dedicated to the public domain (CC0 1.0).

    python examples/saas/make_data.py

Only the standard library is used; every run writes the same files. Some dirt is meant: empty cells, a repeated
delivery, visits recorded under an anonymous id, a score that is not a number.
"""

from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent / "data"
END = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)
DAYS = 120
BERLIN = ZoneInfo("Europe/Berlin")

PLACES = {
    "DE": [(52.52, 13.405), (48.137, 11.575), (52.391, 13.064)],
    "AT": [(48.208, 16.373)],
    "CH": [(47.377, 8.541)],
    "FR": [(48.857, 2.352)],
    "US": [(40.713, -74.006)],
}
STAGES = ["subscriber", "lead", "qualified", "customer"]
INDUSTRIES = ["Software", "Retail", "Logistics", "Health"]
PAGES = ["/", "/pricing", "/plans/team", "/plans/enterprise", "/docs/start", "/docs/api", "/blog/launch", "/careers"]
DOWNLOADS = ["whitepaper-segments", "whitepaper-privacy", "checklist-migration", "price-list"]
CAMPAIGNS = ["spring-1", "spring-2", "newsletter-feb", "newsletter-mar"]
PRODUCTS = ["team", "enterprise", "add-on"]
FIRST = ["Ada", "Ben", "Cem", "Dora", "Emil", "Fay", "Gül", "Hugo", "Ida", "Jan", "Kim", "Lea", "Max", "Nora", "Otto"]
FIRST += ["Pia", "Ravi", "Sara", "Tom", "Uma"]


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_csv(name: str, header: list[str], rows: list[list[object]]) -> None:
    with (FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_jsonl(name: str, rows: list[dict[str, object]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")


def climbed(contact: str, stage: str, signed_up: datetime) -> list[list[object]]:
    """The stages that a contact went through, from signing up to the one it is in."""
    pick = random.Random(contact)
    steps = STAGES[: STAGES.index(stage) + 1]
    later = sorted(pick.random() for _ in steps[1:])
    moments = [signed_up, *(signed_up + (END - signed_up) * share for share in later)]
    return [[contact, stamp(when), step] for when, step in zip(moments, steps, strict=True)]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    pick = random.Random(20260331)

    companies = [
        [f"co{n:02}", f"Company {n}", pick.choice(INDUSTRIES), pick.choice([8, 25, 60, 140, 900])] for n in range(1, 25)
    ]
    write_csv("companies", ["company_id", "name", "industry", "employees"], [list(row) for row in companies])

    contacts: list[list[object]] = []
    views: list[list[object]] = []
    emails: list[dict[str, object]] = []
    tracks: list[dict[str, object]] = []
    members: list[list[object]] = []
    deals: list[list[object]] = []
    aliases: list[list[object]] = []
    stages: list[list[object]] = []

    for n in range(1, 201):
        contact = f"c{n:03}"
        keen = pick.random() ** 2
        country = pick.choice(["DE", "DE", "DE", "AT", "CH", "FR", "US", ""])
        latitude, longitude = pick.choice(PLACES[country]) if country else ("", "")
        stage = pick.choices(STAGES, [4, 3, 2, 3])[0]
        signed_up = END - timedelta(days=pick.randint(2, 700), minutes=pick.randint(0, 1439))
        tags = [tag for tag, share in (("vip", 0.12), ("partner", 0.08), ("beta", 0.2)) if pick.random() < share]
        renewal = ""
        if stage == "customer":
            renewal = (END + timedelta(days=pick.randint(-5, 300))).date().isoformat()
        employee = n % 40 == 0
        mail = f"{FIRST[n % 20].lower().replace('ü', 'ue')}.{n}@{'ourcompany.example' if employee else 'example.com'}"
        score = "n/a" if n == 77 else pick.randint(0, 80)
        company = pick.choice(companies)[0] if pick.random() < 0.8 else ""
        place = [country, latitude, longitude]
        told = [score, json.dumps(tags), stamp(signed_up), renewal, company, str(n % 7 != 0).lower()]
        stages += climbed(contact, stage, signed_up)
        contacts.append([contact, FIRST[n % 20], mail, *place, *told])
        if employee:
            members.append(["employees", contact])
        if pick.random() < 0.15:
            members.append(["webinar march", contact])
        anonymous = f"anon-{n:03}"
        if n % 3 == 0:
            aliases.append([anonymous, contact])

        active_until = 0.0 if pick.random() < 0.75 else pick.uniform(10, 100)
        start = min(DAYS, (END - signed_up).days)

        def moment(last: float = active_until, first: int = start) -> datetime:
            ago = min(first, last + pick.random() ** 1.6 * DAYS)
            return (END - timedelta(days=ago, seconds=pick.randint(0, 3600))).replace(microsecond=0)

        for _ in range(int(keen * 45)):
            who = anonymous if n % 3 == 0 and pick.random() < 0.3 else contact
            page = pick.choice(PAGES[:3] if pick.random() < keen else PAGES)
            device = pick.choice(["mobile", "desktop", "tablet"])
            views.append([f"v{len(views):05}", who, stamp(moment()), page, device, pick.choice(["", 5, 40, 300])])
            if len(views) % 97 == 0:
                views.append([*views[-1]])
        for campaign in CAMPAIGNS:
            sent = moment()
            if pick.random() < 0.7:
                local = sent.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S")
                emails.append({"contact_id": contact, "kind": "sent", "campaign": campaign, "at": local})
                for _ in range(pick.choice([0, 0, 1, 1, 2, 4])):
                    sent = min(END, sent + timedelta(minutes=pick.randint(2, 4000)))
                    local = sent.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S")
                    kind = "click" if pick.random() < 0.25 else "open"
                    emails.append({"contact_id": contact, "kind": kind, "campaign": campaign, "at": local})

        def track(event: str, when: datetime, who: str = contact, **props: object) -> None:
            row = {"id": f"t{len(tracks):05}", "contact_id": who, "event": event, "ts": stamp(when), "props": props}
            tracks.append(row)

        for _ in range(pick.choice([0, 0, 0, 1, 1, 2])):
            track("downloaded", moment(), file=pick.choice(DOWNLOADS))
        for _ in range(pick.choice([0, 0, 1, 2])):
            when, product = moment(), pick.choice(PRODUCTS)
            track("added_to_cart", when, product=product)
            if pick.random() < 0.45:
                total = f"{pick.choice([49, 99, 499, 1200])}.{pick.choice(['00', '50', '90'])}"
                paid = min(END, when + timedelta(minutes=pick.randint(3, 900)))
                track("Order Completed", paid, product=product, total=total, plan=pick.choice(["team", "pro"]))
        if pick.random() < 0.12:
            when = moment()
            for attempt in range(pick.choice([1, 3, 4])):
                late = min(END, when + timedelta(minutes=12 * attempt))
                track("payment_failed", late, reason=pick.choice(["card expired", "declined"]))
        for _ in range(pick.choice([0, 0, 0, 0, 1, 2])):
            deals.append([contact, pick.choice([900, 4000, 15000]), pick.choice(["open", "open", "won", "lost"])])

    header = ["contact_id", "first_name", "email", "country", "lat", "lon", "lead_score", "tags"]
    write_csv("contacts", [*header, "signed_up_at", "renewal_date", "company_id", "subscribed"], contacts)
    write_csv("stage_changes", ["contact_id", "changed_at", "stage"], stages)
    write_csv("page_views", ["event_id", "contact_id", "viewed_at", "path", "device", "seconds"], views)
    write_jsonl("emails", emails)
    write_jsonl("tracks", tracks)
    write_csv("members", ["list_name", "contact_id"], members)
    write_csv("deals", ["contact_id", "value", "status"], deals)
    write_csv("aliases", ["anonymous_id", "contact_id"], aliases)
    print(f"{len(contacts)} contacts, {len(views)} views, {len(emails)} mails, {len(tracks)} tracks")


if __name__ == "__main__":
    main()
