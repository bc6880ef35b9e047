-- a count in a window, by a glob
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited "/plans/ *" >= 3 in 30d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    path LIKE '/plans/%' ESCAPE '!'
    AND t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: visited "/plans/ *" >= 3 in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a count of none
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited = 0 in 90d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    t > CAST('2025-12-09 08:00:00Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: visited = 0 in 90d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  COALESCE(visited_by_contact.visited_count, 0) = 0
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- deliveries that count once, at epoch milliseconds
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH purchased AS (
  SELECT
    contact,
    t,
    amount,
    weight
  FROM (
    SELECT
      contact,
      t,
      amount,
      weight,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, amount NULLS LAST, weight NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        amount,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS weight,
        product AS p0,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), purchased_by_contact AS (
  /* purchased where (amount > 100 and not weight >= 2.5) >= 2 */
  SELECT
    contact,
    COUNT(*) AS purchased_count
  FROM purchased
  WHERE
    amount > 100.00
    AND NOT COALESCE(weight >= 2.5e0, FALSE)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: purchased where (amount > 100 and not weight >= 2.5) >= 2 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN purchased_by_contact
  ON purchased_by_contact.contact = contact.id
WHERE
  purchased_by_contact.purchased_count >= 2
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a local clock, and rows told apart
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH opened AS (
  SELECT
    contact_id AS contact,
    TO_UTC_TIMESTAMP(CAST(`at` AS TIMESTAMP), 'Asia/Kathmandu') AS t,
    campaign
  FROM mails
  WHERE
    kind IN ('open', 'open again')
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), opened_by_contact AS (
  /* opened "spring sale" >= 1 since 2026-01-01 */
  SELECT
    contact,
    COUNT(*) AS opened_count
  FROM opened
  WHERE
    campaign = 'spring sale'
    AND t > CAST('2025-12-31 18:14:59.999999Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: opened "spring sale" >= 1 since 2026-01-01 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN opened_by_contact
  ON opened_by_contact.contact = contact.id
WHERE
  opened_by_contact.opened_count >= 1
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- events without a time
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH deal AS (
  SELECT
    contact_id AS contact,
    size
  FROM deals
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), deal_by_contact AS (
  /* deal where (size >= 10) >= 2 */
  SELECT
    contact,
    COUNT(*) AS deal_count
  FROM deal
  WHERE
    size >= 10
  GROUP BY
    contact
)
/* rule: deal where (size >= 10) >= 2 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN deal_by_contact
  ON deal_by_contact.contact = contact.id
WHERE
  deal_by_contact.deal_count >= 2
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a union
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), opened AS (
  SELECT
    contact_id AS contact,
    TO_UTC_TIMESTAMP(CAST(`at` AS TIMESTAMP), 'Asia/Kathmandu') AS t
  FROM mails
  WHERE
    kind IN ('open', 'open again')
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* any of (visited "/pricing", opened) >= 3 in 7d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM (
    SELECT
      contact,
      t
    FROM visited
    WHERE
      path = '/pricing'
    UNION ALL
    SELECT
      contact,
      t
    FROM opened
  ) AS events
  WHERE
    t > CAST('2026-03-02 08:00:00Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: any of (visited "/pricing", opened) >= 3 in 7d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- the same value
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 3 with same path in 30d */
  SELECT
    contact,
    MAX(n) AS visited_count
  FROM (
    SELECT
      contact,
      COUNT(*) AS n
    FROM (
      SELECT
        visited.contact,
        t,
        path AS v_path
      FROM visited
      WHERE
        t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
        AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
    ) AS events
    WHERE
      NOT v_path IS NULL
    GROUP BY
      contact,
      v_path
  ) AS groups_
  GROUP BY
    contact
)
/* rule: visited >= 3 with same path in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- the same value that is a double
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH purchased AS (
  SELECT
    contact,
    t,
    weight
  FROM (
    SELECT
      contact,
      t,
      weight,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, p1 NULLS LAST, weight NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS weight,
        product AS p0,
        amount AS p1,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), purchased_by_contact AS (
  /* purchased >= 2 with same weight */
  SELECT
    contact,
    MAX(n) AS purchased_count
  FROM (
    SELECT
      contact,
      COUNT(*) AS n
    FROM (
      SELECT
        purchased.contact,
        t,
        weight AS v_weight
      FROM purchased
      WHERE
        t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
    ) AS events
    WHERE
      NOT v_weight IS NULL
    GROUP BY
      contact,
      v_weight
  ) AS groups_
  GROUP BY
    contact
)
/* rule: purchased >= 2 with same weight */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN purchased_by_contact
  ON purchased_by_contact.contact = contact.id
WHERE
  purchased_by_contact.purchased_count >= 2
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a burst
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 3 within 1h in 30d */
  SELECT
    contact,
    MAX(n) AS visited_count
  FROM (
    SELECT
      contact,
      SUM(step) OVER (
        PARTITION BY contact
        ORDER BY t NULLS LAST, step NULLS LAST
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS n
    FROM (
      SELECT
        contact,
        t,
        1 AS step
      FROM (
        SELECT
          visited.contact,
          t
        FROM visited
        WHERE
          t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
          AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
      ) AS events
      UNION ALL
      SELECT
        contact,
        (
          t + INTERVAL '1' HOUR
        ) AS t,
        -1 AS step
      FROM (
        SELECT
          visited.contact,
          t
        FROM visited
        WHERE
          t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
          AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
      ) AS events
    ) AS steps
  ) AS groups_
  GROUP BY
    contact
)
/* rule: visited >= 3 within 1h in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a burst of the same value
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 3 within 90min with same path */
  SELECT
    contact,
    MAX(n) AS visited_count
  FROM (
    SELECT
      contact,
      SUM(step) OVER (
        PARTITION BY contact, v_path
        ORDER BY t NULLS LAST, step NULLS LAST
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS n
    FROM (
      SELECT
        contact,
        v_path,
        t,
        1 AS step
      FROM (
        SELECT
          visited.contact,
          t,
          path AS v_path
        FROM visited
        WHERE
          t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
      ) AS events
      WHERE
        NOT v_path IS NULL
      UNION ALL
      SELECT
        contact,
        v_path,
        (
          (
            t + INTERVAL '1' HOUR
          ) + INTERVAL '30' MINUTE
        ) AS t,
        -1 AS step
      FROM (
        SELECT
          visited.contact,
          t,
          path AS v_path
        FROM visited
        WHERE
          t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
      ) AS events
      WHERE
        NOT v_path IS NULL
    ) AS steps
  ) AS groups_
  GROUP BY
    contact
)
/* rule: visited >= 3 within 90min with same path */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- an anchored window
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id,
    signup_date
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 2 within 7d after signup date */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM (
    SELECT
      visited.contact,
      t
    FROM visited
    JOIN contact
      ON contact.id = visited.contact
    WHERE
      t > contact.signup_date
      AND t <= (
        contact.signup_date + INTERVAL '7' DAY
      )
      AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  ) AS events
  GROUP BY
    contact
)
/* rule: visited >= 2 within 7d after signup date */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 2
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- sums and averages
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH purchased AS (
  SELECT
    contact,
    t,
    amount
  FROM (
    SELECT
      contact,
      t,
      amount,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, amount NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        amount,
        product AS p0,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    seconds
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), purchased_by_contact AS (
  SELECT
    contact,
    SUM(
      CASE
        WHEN t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
        AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
        THEN amount
      END
    ) AS purchased_sum, /* sum(amount of purchased in 30d) */
    SUM(CASE WHEN t <= CAST('2026-02-07 08:00:00Z' AS TIMESTAMP) THEN amount END) AS purchased_sum_2 /* sum(amount of purchased between 30d and 60d ago) */
  FROM purchased
  WHERE
    t > CAST('2026-01-08 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
), visited_by_contact AS (
  /* avg(seconds of visited) */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    NOT seconds IS NULL AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
), visited_by_contact_2 AS (
  /* avg(seconds of visited) */
  SELECT
    contact,
    SUM(CAST(seconds AS DECIMAL(37, 0))) AS visited_sum
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: sum(amount of purchased in 30d) > 2 * sum(amount of purchased between 30d and 60d ago) and avg(seconds of visited) >= 1.5 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN purchased_by_contact
  ON purchased_by_contact.contact = contact.id
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
LEFT JOIN visited_by_contact_2
  ON visited_by_contact_2.contact = contact.id
WHERE
  COALESCE(purchased_by_contact.purchased_sum, 0) > (
    CAST(2 AS DECIMAL(37, 0)) * CAST(COALESCE(purchased_by_contact.purchased_sum_2, 0) AS DECIMAL(37, 2))
  )
  AND visited_by_contact.visited_count > 0
  AND CAST(COALESCE(visited_by_contact_2.visited_sum, 0) AS DECIMAL(37, 1)) >= CAST(CAST(1.5 AS DECIMAL(37, 1)) * CAST(COALESCE(visited_by_contact.visited_count, 0) AS DECIMAL(37, 0)) AS DECIMAL(37, 1))
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a percentile
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH purchased AS (
  SELECT
    contact,
    t,
    amount
  FROM (
    SELECT
      contact,
      t,
      amount,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, amount NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        amount,
        product AS p0,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), purchased_by_contact AS (
  /* percentile(90, amount of purchased) */
  SELECT
    contact,
    v AS purchased_percentile
  FROM (
    SELECT
      contact,
      v_amount AS v,
      ROW_NUMBER() OVER (PARTITION BY contact ORDER BY v_amount NULLS LAST) AS r,
      COUNT(*) OVER (PARTITION BY contact) AS n
    FROM (
      SELECT
        purchased.contact,
        t,
        amount AS v_amount
      FROM purchased
      WHERE
        t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
    ) AS events
    WHERE
      NOT v_amount IS NULL
  ) AS places
  WHERE
    (
      r - 1
    ) * 10 < n * 9 AND n * 9 <= r * 10
)
/* rule: percentile(90, amount of purchased) >= 100 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN purchased_by_contact
  ON purchased_by_contact.contact = contact.id
WHERE
  purchased_by_contact.purchased_percentile >= 100.00
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- distinct values and days
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  SELECT
    contact,
    COUNT(DISTINCT CASE WHEN t > CAST('2026-03-02 08:00:00Z' AS TIMESTAMP) THEN path END) AS visited_distinct, /* distinct(path of visited in 7d) */
    COUNT(
      DISTINCT DATE_TRUNC('DAY', (
        FROM_UTC_TIMESTAMP(CAST(t AS TIMESTAMP), 'Asia/Kathmandu')
      ))
    ) AS visited_distinct_2 /* distinct(day of visited) */
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: distinct(path of visited in 7d) >= 5 and distinct(day of visited) >= 3 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_distinct >= 5
  AND visited_by_contact.visited_distinct_2 >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- distinct weeks
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* distinct(week of visited) */
  SELECT
    contact,
    COUNT(
      DISTINCT DATE_TRUNC('WEEK', (
        FROM_UTC_TIMESTAMP(CAST(t AS TIMESTAMP), 'Asia/Kathmandu')
      ))
    ) AS visited_distinct
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: distinct(week of visited) >= 2 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_distinct >= 2
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- the first value and the last event
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH purchased AS (
  SELECT
    contact,
    t,
    product,
    amount
  FROM (
    SELECT
      contact,
      t,
      product,
      amount,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, product NULLS LAST, amount NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        product,
        amount,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), purchased_by_contact AS (
  /* has (amount > 100) */
  SELECT
    contact,
    MAX(t) AS purchased_last
  FROM purchased
  WHERE
    amount > 100.00 AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
), purchased_by_contact_2 AS (
  /* last(purchased) */
  SELECT
    contact,
    MAX(t) AS purchased_last_2
  FROM purchased
  WHERE
    t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
), purchased_by_contact_3 AS (
  /* first(product of purchased) */
  SELECT
    contact,
    v AS purchased_first
  FROM (
    SELECT
      contact,
      v_product AS v,
      ROW_NUMBER() OVER (PARTITION BY contact ORDER BY t ASC NULLS LAST, v_product ASC NULLS LAST) AS place
    FROM (
      SELECT
        purchased.contact,
        t,
        product AS v_product
      FROM purchased
      WHERE
        t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
    ) AS events
    WHERE
      NOT v_product IS NULL
  ) AS places
  WHERE
    place = 1
)
/* rule: first(product of purchased) = "shoe" and last(purchased) has (amount > 100) */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN purchased_by_contact
  ON purchased_by_contact.contact = contact.id
LEFT JOIN purchased_by_contact_2
  ON purchased_by_contact_2.contact = contact.id
LEFT JOIN purchased_by_contact_3
  ON purchased_by_contact_3.contact = contact.id
WHERE
  purchased_by_contact_3.purchased_first = 'shoe'
  AND purchased_by_contact.purchased_last = purchased_by_contact_2.purchased_last_2
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- instants compared
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id,
    signup_date
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* last(visited) */
  SELECT
    contact,
    MAX(t) AS visited_last
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: last(visited) > signup date */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_last > contact.signup_date
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- regularity
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  SELECT
    contact,
    COUNT(
      CASE
        WHEN t > CAST('2026-03-02 08:00:00Z' AS TIMESTAMP)
        AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
        THEN 1
      END
    ) AS visited_count, /* visited >= 2 in at least 3 of last 4 weeks */
    COUNT(
      CASE
        WHEN t > CAST('2026-02-23 08:00:00Z' AS TIMESTAMP)
        AND t <= CAST('2026-03-02 08:00:00Z' AS TIMESTAMP)
        THEN 1
      END
    ) AS visited_count_2, /* visited >= 2 in at least 3 of last 4 weeks */
    COUNT(
      CASE
        WHEN t > CAST('2026-02-16 08:00:00Z' AS TIMESTAMP)
        AND t <= CAST('2026-02-23 08:00:00Z' AS TIMESTAMP)
        THEN 1
      END
    ) AS visited_count_3, /* visited >= 2 in at least 3 of last 4 weeks */
    COUNT(CASE WHEN t <= CAST('2026-02-16 08:00:00Z' AS TIMESTAMP) THEN 1 END) AS visited_count_4 /* visited >= 2 in at least 3 of last 4 weeks */
  FROM visited
  WHERE
    t > CAST('2026-02-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: visited >= 2 in at least 3 of last 4 weeks */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  (
    (
      CASE WHEN visited_by_contact.visited_count >= 2 THEN 1 ELSE 0 END + CASE WHEN visited_by_contact.visited_count_2 >= 2 THEN 1 ELSE 0 END
    ) + (
      CASE WHEN visited_by_contact.visited_count_3 >= 2 THEN 1 ELSE 0 END + CASE WHEN visited_by_contact.visited_count_4 >= 2 THEN 1 ELSE 0 END
    )
  ) >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- products of many decimal places
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    rate
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: rate * rate > 0.000000001 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  CAST(CONCAT(
    CAST(CAST(REPLACE(CAST(CAST(contact.rate AS DECIMAL(37, 9)) AS STRING), '.', '') AS DECIMAL(37, 0)) * CAST(REPLACE(CAST(CAST(contact.rate AS DECIMAL(37, 9)) AS STRING), '.', '') AS DECIMAL(37, 0)) AS STRING),
    'E-18'
  ) AS DECIMAL(38, 18)) > 0.000000001000000000
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a number and a double
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE WHEN NOT ISNAN(ratio) THEN ratio + 0e0 END AS ratio,
    balance
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: ratio > balance */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.ratio > CAST(CAST(contact.balance AS STRING) AS DOUBLE)
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- texts
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    country
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: country in ("DE", "O'Hara", "back\\slash") or country = "blank " */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.country IN ('DE', 'O\'Hara', 'back\\slash') OR contact.country = 'blank '
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- texts in pieces
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    country
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: country starts with "50%_" or country ends with " " or country matches "d?*" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.country LIKE '50!%!_%' ESCAPE '!'
  OR contact.country LIKE '% ' ESCAPE '!'
  OR contact.country LIKE 'd_%' ESCAPE '!'
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- texts ignoring case
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    country
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: country = "de" ignoring case */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  TRANSLATE(contact.country, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = 'de'
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- what is not
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    country,
    subscribed,
    CASE WHEN stage IN ('subscriber', 'lead', 'customer') THEN stage END AS stage,
    lead_score
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: not (country != "DE" or subscribed) and stage = "lead" and lead score is known */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  NOT (
    NOT COALESCE(contact.country = 'DE', FALSE)
    OR COALESCE(contact.subscribed, FALSE)
  )
  AND contact.stage = 'lead'
  AND NOT contact.lead_score IS NULL
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- dates
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    TO_UTC_TIMESTAMP(CAST(CAST(renewal_date AS TIMESTAMP) AS TIMESTAMP), 'Asia/Kathmandu') AS renewal_date
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: renewal date in next 14d or renewal date on 2026-03-31 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  (
    contact.renewal_date > CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
    AND contact.renewal_date <= CAST('2026-03-23 08:00:00Z' AS TIMESTAMP)
  )
  OR (
    contact.renewal_date > CAST('2026-03-30 18:14:59.999999Z' AS TIMESTAMP)
    AND contact.renewal_date <= CAST('2026-03-31 18:14:59.999999Z' AS TIMESTAMP)
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- anniversaries
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    signup_date
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: anniversary of signup date in next 7d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  EXTRACT(YEAR FROM (
    FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
  )) < 2026
  AND (
    EXTRACT(MONTH FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    )) * 100 + EXTRACT(DAY FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    ))
  ) >= 310
  AND (
    EXTRACT(MONTH FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    )) * 100 + EXTRACT(DAY FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    ))
  ) <= 316
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a related record
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    c.contact_id AS id,
    r1.industry AS company_industry
  FROM contacts AS c
  LEFT JOIN crm.companies AS r1
    ON c.company_id = r1.company_id
  WHERE
    NOT c.contact_id IS NULL
)
/* rule: company.industry = "Software" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.company_industry = 'Software'
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- lists
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    tags
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: tags has any of ("vip", "it's") */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  ARRAY_CONTAINS(contact.tags, 'vip') OR ARRAY_CONTAINS(contact.tags, 'it\'s')
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- places
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE
      WHEN CASE WHEN NOT ISNAN(lat) THEN lat + 0e0 END BETWEEN -90 AND 90
      THEN CASE WHEN NOT ISNAN(lat) THEN lat + 0e0 END
    END AS home_latitude,
    CASE
      WHEN CASE WHEN NOT ISNAN(lon) THEN lon + 0e0 END BETWEEN -180 AND 180
      THEN CASE WHEN NOT ISNAN(lon) THEN lon + 0e0 END
    END AS home_longitude
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: home within 50 km of (52.52, 13.405) */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  CASE
    WHEN contact.home_latitude IS NULL OR contact.home_longitude IS NULL
    THEN FALSE
    ELSE 2 * 6371.0088e0 * ASIN(
      LEAST(
        1e0,
        SQRT(
          POWER(SIN(RADIANS(contact.home_latitude - 52.52e0) / 2), 2) + COS(RADIANS(52.52e0)) * COS(RADIANS(contact.home_latitude)) * POWER(SIN(RADIANS(contact.home_longitude - 13.405e0) / 2), 2)
        )
      )
    ) <= 50.0e0
  END
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- samples
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: in sample 10% of "spring's test" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  SUBSTRING(MD5((
    'spring\'s test:' || CAST(contact.id AS STRING)
  )), 1, 8) < '1999999a'
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- static lists
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: in list "employees" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.id IN (
    SELECT
      contact_id AS contact
    FROM members
    WHERE
      list_name = 'employees'
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- values of once
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    c.contact_id AS id,
    h1.value AS plan,
    h2.value AS plan_2
  FROM contacts AS c
  LEFT JOIN (
    SELECT
      contact,
      value
    FROM (
      SELECT
        contact,
        value,
        ROW_NUMBER() OVER (
          PARTITION BY contact
          ORDER BY t DESC, CASE WHEN value = 'free' THEN 0 WHEN value = 'pro' THEN 1 END DESC
        ) AS place
      FROM (
        SELECT
          contact_id AS contact,
          `at` AS t,
          CASE WHEN plan IN ('free', 'pro') THEN plan END AS value
        FROM plans
        WHERE
          `at` >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
          AND `at` <= CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
      ) AS changes
    ) AS placed
    WHERE
      place = 1
  ) AS h1
    ON h1.contact = c.contact_id
  LEFT JOIN (
    SELECT
      contact,
      value
    FROM (
      SELECT
        contact,
        value,
        ROW_NUMBER() OVER (
          PARTITION BY contact
          ORDER BY t DESC, CASE WHEN value = 'free' THEN 0 WHEN value = 'pro' THEN 1 END DESC
        ) AS place
      FROM (
        SELECT
          contact_id AS contact,
          `at` AS t,
          CASE WHEN plan IN ('free', 'pro') THEN plan END AS value
        FROM plans
        WHERE
          `at` >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
          AND `at` <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
      ) AS changes
    ) AS placed
    WHERE
      place = 1
  ) AS h2
    ON h2.contact = c.contact_id
  WHERE
    NOT c.contact_id IS NULL
)
/* rule: plan was "free" 30d ago and plan = "pro" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.plan = 'free' AND contact.plan_2 = 'pro'
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- changes
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH plan_changed AS (
  SELECT
    contact,
    t,
    value_before AS from_value,
    value AS to_value
  FROM (
    SELECT
      contact,
      t,
      value,
      LAG(value) OVER (PARTITION BY contact ORDER BY t NULLS LAST) AS value_before
    FROM (
      SELECT
        contact,
        t,
        value
      FROM (
        SELECT
          contact,
          t,
          value,
          ROW_NUMBER() OVER (
            PARTITION BY contact, t
            ORDER BY CASE WHEN value = 'free' THEN 0 WHEN value = 'pro' THEN 1 END DESC
          ) AS place
        FROM (
          SELECT
            contact_id AS contact,
            `at` AS t,
            CASE WHEN plan IN ('free', 'pro') THEN plan END AS value
          FROM plans
          WHERE
            `at` >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP) AND NOT `at` IS NULL
        ) AS changes
      ) AS placed
      WHERE
        place = 1
    ) AS kept
  ) AS followed
  WHERE
    value_before <> value OR (
      value_before IS NULL
    ) <> (
      value IS NULL
    )
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), plan_changed_by_contact AS (
  /* plan changed from "free" to "pro" */
  SELECT
    contact,
    COUNT(*) AS plan_changed_count
  FROM plan_changed
  WHERE
    from_value = 'free'
    AND to_value = 'pro'
    AND t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: plan changed from "free" to "pro" in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN plan_changed_by_contact
  ON plan_changed_by_contact.contact = contact.id
WHERE
  plan_changed_by_contact.plan_changed_count >= 1
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a sequence
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t,
    path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), purchased AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, p1 NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        product AS p0,
        amount AS p1,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), first_visited AS (
  SELECT
    visited.contact,
    t
  FROM visited
  WHERE
    path = '/pricing'
    AND t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
), visited_then_purchased AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      previous
    FROM (
      SELECT
        contact,
        t,
        place,
        MAX(previous_of) OVER (
          PARTITION BY contact
          ORDER BY t NULLS LAST, place NULLS LAST
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS previous
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          CAST(NULL AS TIMESTAMP) AS previous_of
        FROM (
          SELECT
            purchased.contact,
            t
          FROM purchased
          WHERE
            t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
            AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
        ) AS events
        UNION ALL
        SELECT
          contact,
          t,
          1 AS place,
          t AS previous_of
        FROM (
          SELECT
            contact,
            t
          FROM first_visited
        ) AS events
      ) AS among
    ) AS told
    WHERE
      place = 0 AND NOT previous IS NULL
  ) AS told
  WHERE
    t <= (
      previous + INTERVAL '1' DAY
    )
), visited_sequence AS (
  /* visited "/pricing" then purchased within 1d in 30d */
  SELECT DISTINCT
    contact
  FROM (
    SELECT
      contact,
      t
    FROM visited_then_purchased
  ) AS sequence
)
/* rule: visited "/pricing" then purchased within 1d in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.id IN (
    SELECT
      contact
    FROM visited_sequence
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a sequence that is waited for
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), purchased AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, p1 NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        product AS p0,
        amount AS p1,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), first_visited AS (
  SELECT
    contact,
    day_of_asia_kathmandu,
    t
  FROM (
    SELECT
      visited.contact,
      t,
      DATE_TRUNC('DAY', (
        FROM_UTC_TIMESTAMP(CAST(t AS TIMESTAMP), 'Asia/Kathmandu')
      )) AS day_of_asia_kathmandu
    FROM visited
    WHERE
      t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  ) AS events
  WHERE
    NOT day_of_asia_kathmandu IS NULL
), visited_sequence AS (
  /* visited then not purchased within 1d with same day */
  SELECT DISTINCT
    contact
  FROM (
    SELECT
      contact,
      day_of_asia_kathmandu,
      t
    FROM (
      SELECT
        contact,
        day_of_asia_kathmandu,
        t,
        wait_1
      FROM (
        SELECT
          contact,
          day_of_asia_kathmandu,
          t,
          place,
          MIN(wait_1_of) OVER (
            PARTITION BY contact, day_of_asia_kathmandu
            ORDER BY t NULLS LAST, place NULLS LAST
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
          ) AS wait_1
        FROM (
          SELECT
            contact,
            day_of_asia_kathmandu,
            t,
            0 AS place,
            CAST(NULL AS TIMESTAMP) AS wait_1_of
          FROM (
            SELECT
              contact,
              day_of_asia_kathmandu,
              t
            FROM first_visited
          ) AS events
          UNION ALL
          SELECT
            contact,
            day_of_asia_kathmandu,
            t,
            -1 AS place,
            t AS wait_1_of
          FROM (
            SELECT
              contact,
              day_of_asia_kathmandu,
              t
            FROM (
              SELECT
                purchased.contact,
                t,
                DATE_TRUNC('DAY', (
                  FROM_UTC_TIMESTAMP(CAST(t AS TIMESTAMP), 'Asia/Kathmandu')
                )) AS day_of_asia_kathmandu
              FROM purchased
              WHERE
                t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
            ) AS events
            WHERE
              NOT day_of_asia_kathmandu IS NULL
          ) AS events
        ) AS among
      ) AS told
      WHERE
        place = 0
    ) AS told
    WHERE
      (
        wait_1 IS NULL OR wait_1 > (
          t + INTERVAL '1' DAY
        )
      )
      AND (
        t + INTERVAL '1' DAY
      ) <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  ) AS sequence
)
/* rule: visited then not purchased within 1d with same day */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.id IN (
    SELECT
      contact
    FROM visited_sequence
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a sequence within a time
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH opened AS (
  SELECT
    contact_id AS contact,
    TO_UTC_TIMESTAMP(CAST(`at` AS TIMESTAMP), 'Asia/Kathmandu') AS t
  FROM mails
  WHERE
    kind IN ('open', 'open again')
), visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), purchased AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, p1 NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        product AS p0,
        amount AS p1,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), first_opened AS (
  SELECT
    contact,
    t,
    t AS begun,
    t AS begun_early
  FROM (
    SELECT
      opened.contact,
      t
    FROM opened
    WHERE
      t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  ) AS starts
), opened_then_visited AS (
  SELECT
    contact,
    own AS t,
    begun,
    begun_early
  FROM (
    SELECT
      contact,
      t,
      begun,
      own,
      begun_early
    FROM (
      SELECT
        contact,
        t,
        place,
        begun,
        own,
        MIN(begun_early_of) OVER (
          PARTITION BY contact
          ORDER BY t NULLS LAST, place NULLS LAST
          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS begun_early
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          begun,
          own,
          CAST(NULL AS TIMESTAMP) AS begun_early_of
        FROM (
          SELECT
            contact,
            t AS own,
            bound AS t,
            begun
          FROM (
            SELECT
              contact,
              t,
              begun,
              CAST('0001-01-01 00:00:00Z' AS TIMESTAMP) AS bound
            FROM (
              SELECT
                contact,
                t,
                previous,
                begun
              FROM (
                SELECT
                  contact,
                  t,
                  place,
                  MAX(previous_of) OVER (
                    PARTITION BY contact
                    ORDER BY t NULLS LAST, place NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) AS previous,
                  MAX(begun_of) OVER (
                    PARTITION BY contact
                    ORDER BY t NULLS LAST, place NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) AS begun
                FROM (
                  SELECT
                    contact,
                    t,
                    0 AS place,
                    CAST(NULL AS TIMESTAMP) AS previous_of,
                    CAST(NULL AS TIMESTAMP) AS begun_of
                  FROM (
                    SELECT
                      visited.contact,
                      t
                    FROM visited
                    WHERE
                      t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
                  ) AS events
                  UNION ALL
                  SELECT
                    contact,
                    t,
                    1 AS place,
                    t AS previous_of,
                    begun AS begun_of
                  FROM (
                    SELECT
                      contact,
                      t,
                      begun
                    FROM first_opened
                  ) AS events
                ) AS among
              ) AS told
              WHERE
                place = 0 AND NOT previous IS NULL
            ) AS told
          ) AS probes
        ) AS events
        UNION ALL
        SELECT
          contact,
          t,
          1 AS place,
          CAST(NULL AS TIMESTAMP) AS begun,
          CAST(NULL AS TIMESTAMP) AS own,
          begun_early AS begun_early_of
        FROM (
          SELECT
            contact,
            t,
            begun_early
          FROM first_opened
        ) AS events
      ) AS among
    ) AS told
    WHERE
      place = 0
  ) AS told
), opened_goes_on AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      upcoming
    FROM (
      SELECT
        contact,
        t,
        place,
        MIN(upcoming_of) OVER (
          PARTITION BY contact
          ORDER BY t NULLS LAST, place NULLS LAST
          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS upcoming
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          CAST(NULL AS TIMESTAMP) AS upcoming_of
        FROM (
          SELECT
            contact,
            t
          FROM first_opened
        ) AS events
        UNION ALL
        SELECT
          contact,
          t,
          -1 AS place,
          t AS upcoming_of
        FROM (
          SELECT
            contact,
            t
          FROM opened_then_visited
        ) AS events
      ) AS among
    ) AS told
    WHERE
      place = 0 AND NOT upcoming IS NULL
  ) AS told
), opened_sequence AS (
  /* opened then visited then not purchased all within 2d */
  SELECT DISTINCT
    contact
  FROM (
    SELECT
      contact
    FROM (
      SELECT
        contact,
        own AS t,
        low,
        `start`
      FROM (
        SELECT
          contact,
          t,
          low,
          own,
          `start`
        FROM (
          SELECT
            contact,
            t,
            place,
            low,
            own,
            MAX(start_of) OVER (
              PARTITION BY contact
              ORDER BY t NULLS LAST, place NULLS LAST
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS `start`
          FROM (
            SELECT
              contact,
              t,
              0 AS place,
              low,
              own,
              CAST(NULL AS TIMESTAMP) AS start_of
            FROM (
              SELECT
                contact,
                t AS own,
                high AS t,
                low
              FROM (
                SELECT
                  contact,
                  t,
                  GREATEST(begun_early, (
                    t + INTERVAL '-2' DAY
                  )) AS low,
                  LEAST(
                    begun,
                    CAST('2026-03-07 08:00:00Z' AS TIMESTAMP),
                    COALESCE((
                      (
                        wait_1 + INTERVAL '-2' DAY
                      ) + INTERVAL '-1' MICROSECOND
                    ), begun)
                  ) AS high
                FROM (
                  SELECT
                    contact,
                    t,
                    begun,
                    begun_early,
                    wait_1
                  FROM (
                    SELECT
                      contact,
                      t,
                      place,
                      begun,
                      begun_early,
                      MIN(wait_1_of) OVER (
                        PARTITION BY contact
                        ORDER BY t NULLS LAST, place NULLS LAST
                        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
                      ) AS wait_1
                    FROM (
                      SELECT
                        contact,
                        t,
                        0 AS place,
                        begun,
                        begun_early,
                        CAST(NULL AS TIMESTAMP) AS wait_1_of
                      FROM (
                        SELECT
                          contact,
                          t,
                          begun,
                          begun_early
                        FROM opened_then_visited
                      ) AS events
                      UNION ALL
                      SELECT
                        contact,
                        t,
                        -1 AS place,
                        CAST(NULL AS TIMESTAMP) AS begun,
                        CAST(NULL AS TIMESTAMP) AS begun_early,
                        t AS wait_1_of
                      FROM (
                        SELECT
                          purchased.contact,
                          t
                        FROM purchased
                        WHERE
                          t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
                      ) AS events
                    ) AS among
                  ) AS told
                  WHERE
                    place = 0
                ) AS told
              ) AS probes
            ) AS events
            UNION ALL
            SELECT
              contact,
              t,
              -1 AS place,
              CAST(NULL AS TIMESTAMP) AS low,
              CAST(NULL AS TIMESTAMP) AS own,
              t AS start_of
            FROM (
              SELECT
                contact,
                t
              FROM opened_goes_on
            ) AS events
          ) AS among
        ) AS told
        WHERE
          place = 0
      ) AS told
    ) AS found
    WHERE
      `start` >= low
  ) AS sequence
)
/* rule: opened then visited then not purchased all within 2d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.id IN (
    SELECT
      contact
    FROM opened_sequence
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- a sequence without
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH opened AS (
  SELECT
    contact_id AS contact,
    TO_UTC_TIMESTAMP(CAST(`at` AS TIMESTAMP), 'Asia/Kathmandu') AS t
  FROM mails
  WHERE
    kind IN ('open', 'open again')
), purchased AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, p1 NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        product AS p0,
        amount AS p1,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), first_opened AS (
  SELECT
    contact,
    t,
    t AS begun
  FROM (
    SELECT
      opened.contact,
      t
    FROM opened
    WHERE
      t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  ) AS starts
), opened_then_purchased AS (
  SELECT
    contact,
    t,
    begun
  FROM (
    SELECT
      contact,
      t,
      previous,
      begun
    FROM (
      SELECT
        contact,
        t,
        place,
        MAX(previous_of) OVER (
          PARTITION BY contact
          ORDER BY t NULLS LAST, place NULLS LAST
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS previous,
        MAX(begun_of) OVER (
          PARTITION BY contact
          ORDER BY t NULLS LAST, place NULLS LAST
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS begun
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          CAST(NULL AS TIMESTAMP) AS previous_of,
          CAST(NULL AS TIMESTAMP) AS begun_of
        FROM (
          SELECT
            purchased.contact,
            t
          FROM purchased
          WHERE
            t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
        ) AS events
        UNION ALL
        SELECT
          contact,
          t,
          1 AS place,
          t AS previous_of,
          begun AS begun_of
        FROM (
          SELECT
            contact,
            t,
            begun
          FROM first_opened
        ) AS events
      ) AS among
    ) AS told
    WHERE
      place = 0 AND NOT previous IS NULL
  ) AS told
), opened_sequence AS (
  /* opened then purchased without visited */
  SELECT DISTINCT
    contact
  FROM (
    SELECT
      contact,
      t
    FROM (
      SELECT
        contact,
        t,
        begun,
        absent
      FROM (
        SELECT
          contact,
          t,
          place,
          begun,
          MAX(absent_of) OVER (
            PARTITION BY contact
            ORDER BY t NULLS LAST, place NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS absent
        FROM (
          SELECT
            contact,
            t,
            0 AS place,
            begun,
            CAST(NULL AS TIMESTAMP) AS absent_of
          FROM (
            SELECT
              contact,
              t,
              begun
            FROM opened_then_purchased
          ) AS events
          UNION ALL
          SELECT
            contact,
            t,
            1 AS place,
            CAST(NULL AS TIMESTAMP) AS begun,
            t AS absent_of
          FROM (
            SELECT
              visited.contact,
              t
            FROM visited
            WHERE
              t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
          ) AS events
        ) AS among
      ) AS told
      WHERE
        place = 0
    ) AS told
    WHERE
      absent IS NULL OR absent <= begun
  ) AS sequence
)
/* rule: opened then purchased without visited */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.id IN (
    SELECT
      contact
    FROM opened_sequence
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- live: a moving window
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH clock AS (
  SELECT
    CURRENT_TIMESTAMP() AS now
), edges AS (
  SELECT
    now,
    (
      now + INTERVAL '-30' DAY
    ) AS edge_1
  FROM clock
), visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 3 in 30d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    t > (
      SELECT
        edge_1
      FROM edges
    )
    AND t <= (
      SELECT
        now
      FROM edges
    )
  GROUP BY
    contact
)
/* rule: visited >= 3 in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- live: months
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH clock AS (
  SELECT
    CURRENT_TIMESTAMP() AS now
), edges AS (
  SELECT
    now,
    CASE
      WHEN EXTRACT(DAY FROM (
        now + INTERVAL '-1' MONTH
      )) = EXTRACT(DAY FROM now)
      THEN (
        now + INTERVAL '-1' MONTH
      )
      ELSE (
        DATE_TRUNC('MONTH', (
          now + INTERVAL '-1' MONTH
        )) + INTERVAL '1' MONTH
      )
    END AS edge_1
  FROM clock
), visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 3 in 1mo */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    t > (
      SELECT
        edge_1
      FROM edges
    )
    AND t <= (
      SELECT
        now
      FROM edges
    )
  GROUP BY
    contact
)
/* rule: visited >= 3 in 1mo */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- live: calendar weeks and quarters
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH clock AS (
  SELECT
    CURRENT_TIMESTAMP() AS now
), periods AS (
  SELECT
    now,
    (
      DATE_TRUNC('WEEK', (
        FROM_UTC_TIMESTAMP(CAST(now AS TIMESTAMP), 'Asia/Kathmandu')
      )) + INTERVAL '-7' DAY
    ) AS period_1,
    DATE_TRUNC('WEEK', (
      FROM_UTC_TIMESTAMP(CAST(now AS TIMESTAMP), 'Asia/Kathmandu')
    )) AS period_2,
    DATE_TRUNC('QUARTER', (
      FROM_UTC_TIMESTAMP(CAST(now AS TIMESTAMP), 'Asia/Kathmandu')
    )) AS period_3,
    (
      DATE_TRUNC('QUARTER', (
        FROM_UTC_TIMESTAMP(CAST(now AS TIMESTAMP), 'Asia/Kathmandu')
      )) + INTERVAL '3' MONTH
    ) AS period_4
  FROM clock
), edges AS (
  SELECT
    now,
    (
      (
        TO_UTC_TIMESTAMP(CAST(period_1 AS TIMESTAMP), 'Asia/Kathmandu')
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_1,
    LEAST(
      (
        (
          TO_UTC_TIMESTAMP(CAST(period_2 AS TIMESTAMP), 'Asia/Kathmandu')
        ) + INTERVAL '-1' MICROSECOND
      ),
      now
    ) AS edge_2,
    (
      (
        TO_UTC_TIMESTAMP(CAST(period_3 AS TIMESTAMP), 'Asia/Kathmandu')
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_3,
    LEAST(
      (
        (
          TO_UTC_TIMESTAMP(CAST(period_4 AS TIMESTAMP), 'Asia/Kathmandu')
        ) + INTERVAL '-1' MICROSECOND
      ),
      now
    ) AS edge_4
  FROM periods
), visited AS (
  SELECT
    contact_id AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), purchased AS (
  SELECT
    contact,
    t
  FROM (
    SELECT
      contact,
      t,
      delivery,
      ROW_NUMBER() OVER (
        PARTITION BY contact, delivery
        ORDER BY t NULLS LAST, p0 NULLS LAST, p1 NULLS LAST, p2 NULLS LAST
      ) AS place
    FROM (
      SELECT
        contact_id AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN TIMESTAMP_MICROS((
            paid_ms * 1000
          ))
        END AS t,
        product AS p0,
        amount AS p1,
        CASE WHEN NOT ISNAN(weight) THEN weight + 0e0 END AS p2,
        order_id AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited >= 3 last week */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    t > (
      SELECT
        edge_1
      FROM edges
    )
    AND t <= (
      SELECT
        edge_2
      FROM edges
    )
  GROUP BY
    contact
), purchased_by_contact AS (
  /* purchased this quarter */
  SELECT
    contact,
    COUNT(*) AS purchased_count
  FROM purchased
  WHERE
    t > (
      SELECT
        edge_3
      FROM edges
    )
    AND t <= (
      SELECT
        edge_4
      FROM edges
    )
  GROUP BY
    contact
)
/* rule: visited >= 3 last week and purchased this quarter */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
LEFT JOIN purchased_by_contact
  ON purchased_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 3
  AND purchased_by_contact.purchased_count >= 1
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- live: the day
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH clock AS (
  SELECT
    CURRENT_TIMESTAMP() AS now
), periods AS (
  SELECT
    now,
    DATE_TRUNC('DAY', (
      FROM_UTC_TIMESTAMP(CAST(now AS TIMESTAMP), 'Asia/Kathmandu')
    )) AS period_1,
    (
      DATE_TRUNC('DAY', (
        FROM_UTC_TIMESTAMP(CAST(now AS TIMESTAMP), 'Asia/Kathmandu')
      )) + INTERVAL '1' DAY
    ) AS period_2,
    DATE_TRUNC(
      'DAY',
      (
        FROM_UTC_TIMESTAMP(CAST((
          now + INTERVAL '7' DAY
        ) AS TIMESTAMP), 'Asia/Kathmandu')
      )
    ) AS period_3,
    (
      DATE_TRUNC(
        'DAY',
        (
          FROM_UTC_TIMESTAMP(CAST((
            now + INTERVAL '7' DAY
          ) AS TIMESTAMP), 'Asia/Kathmandu')
        )
      ) + INTERVAL '1' DAY
    ) AS period_4
  FROM clock
), edges AS (
  SELECT
    now,
    (
      (
        TO_UTC_TIMESTAMP(CAST(period_1 AS TIMESTAMP), 'Asia/Kathmandu')
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_1,
    (
      (
        TO_UTC_TIMESTAMP(CAST(period_2 AS TIMESTAMP), 'Asia/Kathmandu')
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_2,
    EXTRACT(YEAR FROM period_2) AS edge_3,
    EXTRACT(MONTH FROM period_2) * 100 + EXTRACT(DAY FROM period_2) AS edge_4,
    EXTRACT(YEAR FROM period_3) AS edge_5,
    CASE
      WHEN (
        EXTRACT(MONTH FROM period_3) * 100 + EXTRACT(DAY FROM period_3)
      ) = 228
      AND (
        EXTRACT(MONTH FROM period_4) * 100 + EXTRACT(DAY FROM period_4)
      ) = 301
      THEN 229
      ELSE (
        EXTRACT(MONTH FROM period_3) * 100 + EXTRACT(DAY FROM period_3)
      )
    END AS edge_6
  FROM periods
), contact AS (
  SELECT
    contact_id AS id,
    TO_UTC_TIMESTAMP(CAST(CAST(renewal_date AS TIMESTAMP) AS TIMESTAMP), 'Asia/Kathmandu') AS renewal_date,
    signup_date
  FROM contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: renewal date today or anniversary of signup date in next 7d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  (
    contact.renewal_date > (
      SELECT
        edge_1
      FROM edges
    )
    AND contact.renewal_date <= (
      SELECT
        edge_2
      FROM edges
    )
  )
  OR (
    EXTRACT(YEAR FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    )) < (
      SELECT
        edge_3
      FROM edges
    )
    AND (
      SELECT
        edge_3
      FROM edges
    ) = (
      SELECT
        edge_5
      FROM edges
    )
    AND (
      EXTRACT(MONTH FROM (
        FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
      )) * 100 + EXTRACT(DAY FROM (
        FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
      ))
    ) BETWEEN (
      SELECT
        edge_4
      FROM edges
    ) AND (
      SELECT
        edge_6
      FROM edges
    )
  )
  OR (
    (
      SELECT
        edge_3
      FROM edges
    ) < (
      SELECT
        edge_5
      FROM edges
    )
    AND EXTRACT(YEAR FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    )) < (
      SELECT
        edge_3
      FROM edges
    )
    AND (
      EXTRACT(MONTH FROM (
        FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
      )) * 100 + EXTRACT(DAY FROM (
        FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
      ))
    ) >= (
      SELECT
        edge_4
      FROM edges
    )
  )
  OR (
    (
      SELECT
        edge_3
      FROM edges
    ) < (
      SELECT
        edge_5
      FROM edges
    )
    AND EXTRACT(YEAR FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    )) < (
      SELECT
        edge_5
      FROM edges
    )
    AND (
      EXTRACT(MONTH FROM (
        FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
      )) * 100 + EXTRACT(DAY FROM (
        FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
      ))
    ) <= (
      SELECT
        edge_6
      FROM edges
    )
  )
  OR (
    (
      SELECT
        edge_5
      FROM edges
    ) - (
      SELECT
        edge_3
      FROM edges
    ) > 1
    AND EXTRACT(YEAR FROM (
      FROM_UTC_TIMESTAMP(CAST(contact.signup_date AS TIMESTAMP), 'Asia/Kathmandu')
    )) < (
      SELECT
        edge_5
      FROM edges
    ) - 1
  )
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: texts and keys
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE
      WHEN SCHEMA_OF_VARIANT(data_home_country) = 'STRING'
      THEN CAST(data_home_country AS STRING)
    END AS country,
    CASE
      WHEN CASE
        WHEN SCHEMA_OF_VARIANT(data_stage) = 'STRING'
        THEN CAST(data_stage AS STRING)
      END IN ('lead', 'customer')
      THEN CASE
        WHEN SCHEMA_OF_VARIANT(data_stage) = 'STRING'
        THEN CAST(data_stage AS STRING)
      END
    END AS stage
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST((
          TRY_ELEMENT_AT(
            TRY_CAST(CASE
              WHEN CAST(TRY_ELEMENT_AT(
                TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
                2
              ) AS STRING) = 'segdsl'
              THEN TRY_ELEMENT_AT(
                TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
                1
              )
            END AS MAP<STRING, VARIANT>),
            'home'
          )
        ) AS MAP<STRING, VARIANT>),
        'country'
      ) AS data_home_country,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'stage'
      ) AS data_stage
    FROM contacts
  ) AS contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: country = "DE" or stage = "lead" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.country = 'DE' OR contact.stage = 'lead'
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: numbers
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE
      WHEN SCHEMA_OF_VARIANT(data_score) = 'STRING'
      THEN CASE
        WHEN REGEXP_LIKE(CAST(data_score AS STRING), '\\A(-?0*[0-9]{1,19})\\z')
        THEN CASE
          WHEN CAST(CAST(data_score AS STRING) AS DECIMAL(38, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807
          THEN CAST(CAST(data_score AS STRING) AS BIGINT)
        END
      END
      WHEN REGEXP_LIKE(SCHEMA_OF_VARIANT(data_score), '^(BIGINT|DECIMAL|DOUBLE|FLOAT)')
      THEN CASE
        WHEN REGEXP_LIKE(CAST(data_score AS STRING), '\\A(-?[0-9]+)\\z')
        THEN CASE
          WHEN REGEXP_LIKE(CAST(data_score AS STRING), '\\A(-?0*[0-9]{1,19})\\z')
          THEN CASE
            WHEN CAST(CAST(data_score AS STRING) AS DECIMAL(38, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807
            THEN CAST(CAST(data_score AS STRING) AS BIGINT)
          END
        END
        ELSE CASE
          WHEN TRY_CAST(CAST(data_score AS STRING) AS DOUBLE) = FLOOR(TRY_CAST(CAST(data_score AS STRING) AS DOUBLE))
          AND TRY_CAST(CAST(data_score AS STRING) AS DOUBLE) >= -9.223372036854776e+18
          AND TRY_CAST(CAST(data_score AS STRING) AS DOUBLE) < 9.223372036854776e+18
          THEN CAST(TRY_CAST(CAST(data_score AS STRING) AS DOUBLE) AS BIGINT)
        END
      END
    END AS lead_score,
    CASE
      WHEN SCHEMA_OF_VARIANT(data_balance) = 'STRING'
      THEN CASE
        WHEN REGEXP_LIKE(CAST(data_balance AS STRING), '\\A(-?0*[0-9]{1,10}([.][0-9]{1,2}0*)?)\\z')
        THEN CAST(CAST(data_balance AS STRING) AS DECIMAL(12, 2))
      END
      WHEN REGEXP_LIKE(SCHEMA_OF_VARIANT(data_balance), '^(BIGINT|DECIMAL|DOUBLE|FLOAT)')
      THEN CASE
        WHEN REGEXP_LIKE(CAST(data_balance AS STRING), '\\A(-?[0-9]+)\\z')
        THEN CASE
          WHEN REGEXP_LIKE(CAST(data_balance AS STRING), '\\A(-?0*[0-9]{1,10}([.][0-9]{1,2}0*)?)\\z')
          THEN CAST(CAST(data_balance AS STRING) AS DECIMAL(12, 2))
        END
        ELSE CASE
          WHEN TRY_CAST(CAST(data_balance AS STRING) AS DECIMAL(38, 2)) BETWEEN -9999999999.99 AND 9999999999.99
          THEN CAST(TRY_CAST(CAST(data_balance AS STRING) AS DECIMAL(38, 2)) AS DECIMAL(12, 2))
        END
      END
    END AS balance,
    CASE
      WHEN SCHEMA_OF_VARIANT(data_ratio) = 'STRING'
      AND REGEXP_LIKE(CAST(data_ratio AS STRING), '\\A(-?[0-9]+([.][0-9]+)?)\\z')
      THEN TRY_CAST(CAST(data_ratio AS STRING) AS DOUBLE) + 0e0
      WHEN REGEXP_LIKE(SCHEMA_OF_VARIANT(data_ratio), '^(BIGINT|DECIMAL|DOUBLE|FLOAT)')
      THEN TRY_CAST(CAST(data_ratio AS STRING) AS DOUBLE) + 0e0
    END AS ratio
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'score'
      ) AS data_score,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'balance'
      ) AS data_balance,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'ratio'
      ) AS data_ratio
    FROM contacts
  ) AS contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: lead score >= 3 or balance > 99.99 or ratio > 0.5 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.lead_score >= 3 OR contact.balance > 99.99 OR contact.ratio > 0.5e0
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: booleans
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE
      WHEN SCHEMA_OF_VARIANT(data_subscribed) = 'STRING'
      OR SCHEMA_OF_VARIANT(data_subscribed) = 'BOOLEAN'
      THEN CASE CAST(data_subscribed AS STRING)
        WHEN 'true'
        THEN TRUE
        WHEN 'false'
        THEN FALSE
      END
    END AS subscribed
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'subscribed'
      ) AS data_subscribed
    FROM contacts
  ) AS contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: subscribed */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.subscribed
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: times
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE
      WHEN SCHEMA_OF_VARIANT(data_signup_date) = 'STRING'
      THEN CASE
        WHEN REGEXP_LIKE(
          CAST(data_signup_date AS STRING),
          '\\A([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?)\\z'
        )
        THEN TRY_CAST(CONCAT(
          SUBSTRING(REPLACE(UPPER(CAST(data_signup_date AS STRING)), 'T', ' '), 1, 26),
          SUBSTRING(
            '0000-00-00 00:00:00.000000',
            LENGTH(SUBSTRING(REPLACE(UPPER(CAST(data_signup_date AS STRING)), 'T', ' '), 1, 26)) + 1
          )
        ) AS TIMESTAMP)
        WHEN REGEXP_LIKE(
          CAST(data_signup_date AS STRING),
          '\\A([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?))\\z'
        )
        THEN TIMESTAMP_MICROS(
          UNIX_MICROS(
            TRY_CAST(CONCAT(
              SUBSTRING(
                REPLACE(
                  UPPER(REGEXP_SUBSTR(CAST(data_signup_date AS STRING), '^[0-9-]{10}[^Zz+-]*')),
                  'T',
                  ' '
                ),
                1,
                26
              ),
              SUBSTRING(
                '0000-00-00 00:00:00.000000',
                LENGTH(
                  SUBSTRING(
                    REPLACE(
                      UPPER(REGEXP_SUBSTR(CAST(data_signup_date AS STRING), '^[0-9-]{10}[^Zz+-]*')),
                      'T',
                      ' '
                    ),
                    1,
                    26
                  )
                ) + 1
              )
            ) AS TIMESTAMP)
          ) - (
            CASE
              WHEN SUBSTRING(
                RPAD(
                  COALESCE(
                    REPLACE(
                      REGEXP_SUBSTR(CAST(data_signup_date AS STRING), '[+-][0-9:]+\u0024'),
                      ':',
                      ''
                    ),
                    ''
                  ),
                  5,
                  '0'
                ),
                1,
                1
              ) = '-'
              THEN -1
              ELSE 1
            END * (
              CAST(SUBSTRING(
                RPAD(
                  COALESCE(
                    REPLACE(
                      REGEXP_SUBSTR(CAST(data_signup_date AS STRING), '[+-][0-9:]+\u0024'),
                      ':',
                      ''
                    ),
                    ''
                  ),
                  5,
                  '0'
                ),
                2,
                2
              ) AS BIGINT) * 60 + CAST(SUBSTRING(
                RPAD(
                  COALESCE(
                    REPLACE(
                      REGEXP_SUBSTR(CAST(data_signup_date AS STRING), '[+-][0-9:]+\u0024'),
                      ':',
                      ''
                    ),
                    ''
                  ),
                  5,
                  '0'
                ),
                4,
                2
              ) AS BIGINT)
            )
          ) * 60000000
        )
      END
    END AS signup_date
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'signup_date'
      ) AS data_signup_date
    FROM contacts
  ) AS contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: signup date in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.signup_date > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
  AND contact.signup_date <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: dates in JSON
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    TO_UTC_TIMESTAMP(
      CAST(CASE
        WHEN SCHEMA_OF_VARIANT(data_renewal_date) = 'STRING'
        AND REGEXP_LIKE(
          CAST(data_renewal_date AS STRING),
          '\\A([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]00:00(:00(\\.0{1,9})?)?[Zz]?)?)\\z'
        )
        THEN TRY_CAST(CONCAT(
          SUBSTRING(REPLACE(UPPER(SUBSTRING(CAST(data_renewal_date AS STRING), 1, 10)), 'T', ' '), 1, 26),
          SUBSTRING(
            '0000-00-00 00:00:00.000000',
            LENGTH(
              SUBSTRING(REPLACE(UPPER(SUBSTRING(CAST(data_renewal_date AS STRING), 1, 10)), 'T', ' '), 1, 26)
            ) + 1
          )
        ) AS TIMESTAMP)
      END AS TIMESTAMP),
      'Asia/Kathmandu'
    ) AS renewal_date
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'renewal_date'
      ) AS data_renewal_date
    FROM contacts
  ) AS contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: renewal date in next 14d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.renewal_date > CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  AND contact.renewal_date <= CAST('2026-03-23 08:00:00Z' AS TIMESTAMP)
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: lists in JSON
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    contact_id AS id,
    CASE
      WHEN SCHEMA_OF_VARIANT(
        CASE
          WHEN SCHEMA_OF_VARIANT(data_it_s_the_tags_back_slash) = 'STRING'
          THEN CASE
            WHEN CAST(TRY_ELEMENT_AT(
              TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data_it_s_the_tags_back_slash AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
              2
            ) AS STRING) = 'segdsl'
            THEN TRY_ELEMENT_AT(
              TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data_it_s_the_tags_back_slash AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
              1
            )
          END
          ELSE data_it_s_the_tags_back_slash
        END
      ) LIKE 'ARRAY<%'
      THEN TRANSFORM(
        FILTER(
          TRY_CAST(CASE
            WHEN SCHEMA_OF_VARIANT(data_it_s_the_tags_back_slash) = 'STRING'
            THEN CASE
              WHEN CAST(TRY_ELEMENT_AT(
                TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data_it_s_the_tags_back_slash AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
                2
              ) AS STRING) = 'segdsl'
              THEN TRY_ELEMENT_AT(
                TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data_it_s_the_tags_back_slash AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
                1
              )
            END
            ELSE data_it_s_the_tags_back_slash
          END AS ARRAY<VARIANT>),
          item -> SCHEMA_OF_VARIANT(item) = 'STRING'
        ),
        item -> CAST(item AS STRING)
      )
    END AS tags
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST((
          TRY_ELEMENT_AT(
            TRY_CAST((
              TRY_ELEMENT_AT(
                TRY_CAST(CASE
                  WHEN CAST(TRY_ELEMENT_AT(
                    TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
                    2
                  ) AS STRING) = 'segdsl'
                  THEN TRY_ELEMENT_AT(
                    TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
                    1
                  )
                END AS MAP<STRING, VARIANT>),
                'it\'s'
              )
            ) AS MAP<STRING, VARIANT>),
            'the "tags"'
          )
        ) AS MAP<STRING, VARIANT>),
        'back\\slash'
      ) AS data_it_s_the_tags_back_slash
    FROM contacts
  ) AS contacts
  WHERE
    NOT contact_id IS NULL
)
/* rule: tags has "vip" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  ARRAY_CONTAINS(contact.tags, 'vip')
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

-- in JSON: event properties
/* for a session with SET TIME ZONE 'UTC' */
/* Databricks: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    COALESCE(alias.contact, e.contact_id) AS contact,
    e.`at` AS t,
    CASE
      WHEN SCHEMA_OF_VARIANT(e.data_path) = 'STRING'
      THEN CAST(e.data_path AS STRING)
    END AS path
  FROM (
    SELECT
      *,
      TRY_ELEMENT_AT(
        TRY_CAST(CASE
          WHEN CAST(TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            2
          ) AS STRING) = 'segdsl'
          THEN TRY_ELEMENT_AT(
            TRY_CAST(TRY_PARSE_JSON(CONCAT('[', CAST(data AS STRING), ', "segdsl"]')) AS ARRAY<VARIANT>),
            1
          )
        END AS MAP<STRING, VARIANT>),
        'path'
      ) AS data_path
    FROM page_views
  ) AS e
  LEFT JOIN (
    SELECT
      alias AS name,
      MIN(contact_id) AS contact
    FROM aliases
    GROUP BY
      alias
  ) AS alias
    ON alias.name = e.contact_id
  WHERE
    e.`at` >= CAST('0001-01-01 00:00:00Z' AS TIMESTAMP)
), contact AS (
  SELECT
    contact_id AS id
  FROM contacts
  WHERE
    NOT contact_id IS NULL
), visited_by_contact AS (
  /* visited "/pricing" in 30d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    path = '/pricing'
    AND t > CAST('2026-02-07 08:00:00Z' AS TIMESTAMP)
    AND t <= CAST('2026-03-09 08:00:00Z' AS TIMESTAMP)
  GROUP BY
    contact
)
/* rule: visited "/pricing" in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
LEFT JOIN visited_by_contact
  ON visited_by_contact.contact = contact.id
WHERE
  visited_by_contact.visited_count >= 1
ORDER BY
  segment NULLS LAST,
  contact NULLS LAST;

