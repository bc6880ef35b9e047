"""Every construct of the language, once: shared by the tests of the parser and of the formatter."""

RULES = r"""
visited "/pricing" >= 3 in 30d and opened email in 7d
visited ("/pricing", "/plans/*")
purchased where (amount > 100 and category = "shoes") >= 2 in 90d
visited 1 to 3 times in 10d
any event more than 60d ago
last(any event) in 30d
any of (opened email, clicked email "spring-*") >= 3 in 7d
any of (opened email, clicked email "spring-*" where (x = 1)) then purchased
opened email >= 3 with same campaign in 30d
opened email >= 3 with same a, b
payment failed >= 3 within 1h in 30d
visited between 30d and 60d ago
visited in next 30d
visited since 2026-01-01
visited after 2026-01-01T08:00Z
visited before 2026-01-01
visited on 2026-01-01
visited between 2026-01-01 and 2026-01-31
visited today or visited yesterday or signup date tomorrow
visited this week and visited last month and visited next quarter
visited on the day 4d ago
renewal date on the day 4d ahead
renewal date in the future
visited within 7d after signup date
visited within 7d before renewal date
visited within 7d after first(purchased)
visited ever
visited in 30 days
renewal date in next 14d
last(visited) more than 60d ago
country in ("DE", "FR")
country not in ("DE", "FR") ignoring case
email ends with "@example.com"
email starts with "a" ignoring case
email not contains ("a","b") ignoring case
email matches "a*\*"
city is known and city is unknown
subscribed and not bounced
shipping country != billing country
last(visited) > signup date
everyone
company.industry = "Software"
tags has "vip"
tags has any of ("a","b")
tags has all of ("a", "b")
location within 50 km of (52.52, 13.405)
location within 50 km of (-52.52, -13.405)
sum(amount of purchased in 30d) > 2 * sum(amount of purchased between 30d and 60d ago)
distinct(path of visited in 7d) >= 5
last(plan of subscribed) = "pro"
last(plan of subscribed) has (amount > 3)
last(purchased) has (amount > 3)
distinct(day of visited) >= 3
median(amount of purchased) > 3
percentile(75, amount of purchased in 30d) > 3
visited in at least 3 of last 4 weeks
visited >= 2 in at least 3 of last 4 periods of 10d
added to cart then not purchased within 1d in 7d
a then b within 1d then not c all within 3d with same product without d within 1d before in 30d
purchased without visited "/pricing" within 1d before
a then b without any c
a then b without any event in 3d
lifecycle stage changed to "customer" in 30d
lifecycle stage changed
lifecycle stage changed from "lead"
lifecycle stage changed from "lead" to "customer"
lifecycle stage was "lead" 30d ago
lifecycle stage was ever "lead"
in segment x
in segment x and not in list "employees"
in sample 10% of "spring test"
anniversary of signup date in next 7d
anniversary of signup date today
any tracked "checkout_*"
first device = "x" and last seen in 3d and kids count > 3 and list price > 2 and signed up and lead score - 5 > 3
lead score -5 > 3
`signed in` >= 3
date of birth before 2026-01-01
last(visited where (date of birth = "x")) in 3d
x = -5
x = true or y != FALSE
a + b - c * 2 > (a + b) * 3
not a then b
not not a
(a and b) and c
last month revenue > 3
in list "x"
visited within 3d after 2026-01-01
contact count > 3
segment = "x" and score > 3 and test = 3
ratio = lead score and test since 2026-03-29T02:30
first(purchased) in 30d
count(visited in 30d) > count(visited between 30d and 60d ago)
count(any of (a, b) in 3d) > 3
max(seconds of visited where (path = "/x")) > 3
set goal > 3 and times = 4 and days > 3 and d = 3
VISITED >= 3 TIMES IN 30D AND NOT x
a > 3 + 20
total = 3 in 3 months
""".strip().splitlines()

FILE = """\
# comment to the end of the line
segment engaged_leads "Engaged leads":
    visited "/pricing" >= 3 in 30d and opened email in 7d

segment lapsed_customers "Customers gone quiet":
    purchased and not purchased in 90d

score fit "Fit":
    +20 if country in ("DE", "AT", "CH")
    +10 if opened email in 7d
    +2 per visited "/docs/*" in 30d, at most 10
    -15 if not visited in 60d

segment hot "Hot leads":
    fit >= 30 and in segment engaged_leads and not in list "employees"

test engaged_leads "three looks at pricing, then a mail":
    contact country = "DE", lead score = 40
    contact contact_id = "c17", tags = ("vip", "beta"), home = (52.52, -13.405), in list "employees"
    2026-03-01 visited "/pricing"
    2026-03-02 visited "/pricing"
    2026-03-03 visited "/pricing"
    2026-03-04T10:00 purchased where (amount = 30.00)
    2026-03-05 set country = "AT"
    2026-03-05T12:00Z set company.industry = "Software", country = unknown, tags = ()
    2026-03-06 set not in list "employees", in list "webinar"
    2026-03-08 opened email
    on 2026-03-09 in
    on 2026-03-16 out
"""
