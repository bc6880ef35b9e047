-- a count in a window, by a glob
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    CAST(path AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  /* visited "/plans/ *" >= 3 in 30d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    path LIKE '/plans/%' ESCAPE '!'
    AND t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a count of none
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  /* visited = 0 in 90d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    t > CAST('2025-12-09 08:00:00' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- deliveries that count once, at epoch milliseconds
/* MySQL: this text was never executed by segdsl's own tests */
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN amount IS NULL THEN 1 ELSE 0 END, amount, CASE WHEN weight IS NULL THEN 1 ELSE 0 END, weight
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        amount,
        weight + 0e0 AS weight,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), purchased_by_contact AS (
  /* purchased where (amount > 100 and not weight >= 2.5) >= 2 */
  SELECT
    contact,
    COUNT(*) AS purchased_count
  FROM purchased
  WHERE
    amount > 100.00
    AND NOT COALESCE(weight >= 2.5e0, FALSE)
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a local clock, and rows told apart
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), opened AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    (
      `at` - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= `at`
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS t,
    CAST(campaign AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS campaign
  FROM mails
  WHERE
    CAST(kind AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('open', 'open again')
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), opened_by_contact AS (
  /* opened "spring sale" >= 1 since 2026-01-01 */
  SELECT
    contact,
    COUNT(*) AS opened_count
  FROM opened
  WHERE
    campaign = 'spring sale'
    AND t > CAST('2025-12-31 18:14:59.999999' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- events without a time
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH deal AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    size
  FROM deals
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- a union
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    CAST(path AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), opened AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    (
      `at` - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= `at`
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS t
  FROM mails
  WHERE
    CAST(kind AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('open', 'open again')
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
    t > CAST('2026-03-02 08:00:00' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- the same value
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    CAST(path AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
        t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
        AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- the same value that is a double
/* MySQL: this text was never executed by segdsl's own tests */
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN p1 IS NULL THEN 1 ELSE 0 END, p1, CASE WHEN weight IS NULL THEN 1 ELSE 0 END, weight
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        weight + 0e0 AS weight,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        amount AS p1,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
        t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a burst
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
        ORDER BY t, step
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
          t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
          AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
          t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
          AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a burst of the same value
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    CAST(path AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
        ORDER BY t, step
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
          t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
          t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- an anchored window
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    signup_date
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
      AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- sums and averages
/* MySQL: this text was never executed by segdsl's own tests */
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN amount IS NULL THEN 1 ELSE 0 END, amount, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        amount,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    seconds
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), purchased_by_contact AS (
  SELECT
    contact,
    SUM(
      CASE
        WHEN t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
        AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
        THEN amount
      END
    ) AS purchased_sum, /* sum(amount of purchased in 30d) */
    SUM(CASE WHEN t <= CAST('2026-02-07 08:00:00' AS DATETIME(6)) THEN amount END) AS purchased_sum_2 /* sum(amount of purchased between 30d and 60d ago) */
  FROM purchased
  WHERE
    t > CAST('2026-01-08 08:00:00' AS DATETIME(6))
  GROUP BY
    contact
), visited_by_contact AS (
  /* avg(seconds of visited) */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    NOT seconds IS NULL AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
  GROUP BY
    contact
), visited_by_contact_2 AS (
  /* avg(seconds of visited) */
  SELECT
    contact,
    SUM(seconds) AS visited_sum
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
    CAST(2 AS DECIMAL(38, 0)) * CAST(COALESCE(purchased_by_contact.purchased_sum_2, 0) AS DECIMAL(38, 2))
  )
  AND visited_by_contact.visited_count > 0
  AND CAST(COALESCE(visited_by_contact_2.visited_sum, 0) AS DECIMAL(38, 1)) >= CAST(CAST(1.5 AS DECIMAL(38, 1)) * CAST(COALESCE(visited_by_contact.visited_count, 0) AS DECIMAL(38, 0)) AS DECIMAL(38, 1))
ORDER BY
  segment,
  contact;

-- a percentile
/* MySQL: this text was never executed by segdsl's own tests */
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN amount IS NULL THEN 1 ELSE 0 END, amount, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        amount,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), purchased_by_contact AS (
  /* percentile(90, amount of purchased) */
  SELECT
    contact,
    v AS purchased_percentile
  FROM (
    SELECT
      contact,
      v_amount AS v,
      ROW_NUMBER() OVER (
        PARTITION BY contact
        ORDER BY CASE WHEN v_amount IS NULL THEN 1 ELSE 0 END, v_amount
      ) AS r,
      COUNT(*) OVER (PARTITION BY contact) AS n
    FROM (
      SELECT
        purchased.contact,
        t,
        amount AS v_amount
      FROM purchased
      WHERE
        t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- distinct values and days
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    CAST(path AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  SELECT
    contact,
    COUNT(DISTINCT CASE WHEN t > CAST('2026-03-02 08:00:00' AS DATETIME(6)) THEN path END) AS visited_distinct, /* distinct(path of visited in 7d) */
    COUNT(
      DISTINCT CAST(DATE(
        (
          t + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= t
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      ) AS DATETIME(6))
    ) AS visited_distinct_2 /* distinct(day of visited) */
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- distinct weeks
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  /* distinct(week of visited) */
  SELECT
    contact,
    COUNT(
      DISTINCT CAST(DATE(
        (
          t + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= t
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      ) - INTERVAL (WEEKDAY(
        DATE(
          (
            t + INTERVAL (CAST((
              SELECT
                zone_shift
              FROM zone_asia_kathmandu
              WHERE
                zone_since_utc <= t
              ORDER BY
                zone_since_utc DESC
              LIMIT 1
            ) AS SIGNED)) SECOND
          )
        )
      )) DAY AS DATETIME(6))
    ) AS visited_distinct
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- the first value and the last event
/* MySQL: this text was never executed by segdsl's own tests */
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN product IS NULL THEN 1 ELSE 0 END, product, CASE WHEN amount IS NULL THEN 1 ELSE 0 END, amount, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS product,
        amount,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), purchased_by_contact AS (
  /* has (amount > 100) */
  SELECT
    contact,
    MAX(t) AS purchased_last
  FROM purchased
  WHERE
    amount > 100.00 AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
  GROUP BY
    contact
), purchased_by_contact_2 AS (
  /* last(purchased) */
  SELECT
    contact,
    MAX(t) AS purchased_last_2
  FROM purchased
  WHERE
    t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
      ROW_NUMBER() OVER (
        PARTITION BY contact
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t ASC, CASE WHEN v_product IS NULL THEN 1 ELSE 0 END, v_product ASC
      ) AS place
    FROM (
      SELECT
        purchased.contact,
        t,
        product AS v_product
      FROM purchased
      WHERE
        t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- instants compared
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    signup_date
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  /* last(visited) */
  SELECT
    contact,
    MAX(t) AS visited_last
  FROM visited
  WHERE
    t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- regularity
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  SELECT
    contact,
    COUNT(
      CASE
        WHEN t > CAST('2026-03-02 08:00:00' AS DATETIME(6))
        AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
        THEN 1
      END
    ) AS visited_count, /* visited >= 2 in at least 3 of last 4 weeks */
    COUNT(
      CASE
        WHEN t > CAST('2026-02-23 08:00:00' AS DATETIME(6))
        AND t <= CAST('2026-03-02 08:00:00' AS DATETIME(6))
        THEN 1
      END
    ) AS visited_count_2, /* visited >= 2 in at least 3 of last 4 weeks */
    COUNT(
      CASE
        WHEN t > CAST('2026-02-16 08:00:00' AS DATETIME(6))
        AND t <= CAST('2026-02-23 08:00:00' AS DATETIME(6))
        THEN 1
      END
    ) AS visited_count_3, /* visited >= 2 in at least 3 of last 4 weeks */
    COUNT(CASE WHEN t <= CAST('2026-02-16 08:00:00' AS DATETIME(6)) THEN 1 END) AS visited_count_4 /* visited >= 2 in at least 3 of last 4 weeks */
  FROM visited
  WHERE
    t > CAST('2026-02-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- products of many decimal places
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    rate
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: rate * rate > 0.000000001 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  (
    CAST(contact.rate AS DECIMAL(38, 9)) * CAST(contact.rate AS DECIMAL(38, 9))
  ) > 0.000000001000000000
ORDER BY
  segment,
  contact;

-- a number and a double
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    ratio + 0e0 AS ratio,
    balance
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: ratio > balance */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.ratio > CAST(CAST(contact.balance AS CHAR) AS DOUBLE)
ORDER BY
  segment,
  contact;

-- texts
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CAST(country AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS country
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: country in ("DE", "O'Hara", "back\\slash") or country = "blank " */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.country IN ('DE', 'O''Hara', 'back\\slash') OR contact.country = 'blank '
ORDER BY
  segment,
  contact;

-- texts in pieces
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CAST(country AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS country
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- texts ignoring case
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CAST(country AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS country
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: country = "de" ignoring case */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  REPLACE(
    REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              REPLACE(
                REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  REPLACE(
                                    REPLACE(
                                      REPLACE(
                                        REPLACE(
                                          REPLACE(
                                            REPLACE(
                                              REPLACE(REPLACE(REPLACE(REPLACE(contact.country, 'A', 'a'), 'B', 'b'), 'C', 'c'), 'D', 'd'),
                                              'E',
                                              'e'
                                            ),
                                            'F',
                                            'f'
                                          ),
                                          'G',
                                          'g'
                                        ),
                                        'H',
                                        'h'
                                      ),
                                      'I',
                                      'i'
                                    ),
                                    'J',
                                    'j'
                                  ),
                                  'K',
                                  'k'
                                ),
                                'L',
                                'l'
                              ),
                              'M',
                              'm'
                            ),
                            'N',
                            'n'
                          ),
                          'O',
                          'o'
                        ),
                        'P',
                        'p'
                      ),
                      'Q',
                      'q'
                    ),
                    'R',
                    'r'
                  ),
                  'S',
                  's'
                ),
                'T',
                't'
              ),
              'U',
              'u'
            ),
            'V',
            'v'
          ),
          'W',
          'w'
        ),
        'X',
        'x'
      ),
      'Y',
      'y'
    ),
    'Z',
    'z'
  ) = 'de'
ORDER BY
  segment,
  contact;

-- what is not
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CAST(country AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS country,
    CASE subscribed WHEN 1 THEN TRUE WHEN 0 THEN FALSE END AS subscribed,
    CASE
      WHEN CAST(stage AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('subscriber', 'lead', 'customer')
      THEN CAST(stage AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
    END AS stage,
    lead_score
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- dates
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    (
      CAST(renewal_date AS DATETIME(6)) - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= CAST(renewal_date AS DATETIME(6))
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS renewal_date
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: renewal date in next 14d or renewal date on 2026-03-31 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  (
    contact.renewal_date > CAST('2026-03-09 08:00:00' AS DATETIME(6))
    AND contact.renewal_date <= CAST('2026-03-23 08:00:00' AS DATETIME(6))
  )
  OR (
    contact.renewal_date > CAST('2026-03-30 18:14:59.999999' AS DATETIME(6))
    AND contact.renewal_date <= CAST('2026-03-31 18:14:59.999999' AS DATETIME(6))
  )
ORDER BY
  segment,
  contact;

-- anniversaries
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    signup_date
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: anniversary of signup date in next 7d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  EXTRACT(YEAR FROM (
    contact.signup_date + INTERVAL (CAST((
      SELECT
        zone_shift
      FROM zone_asia_kathmandu
      WHERE
        zone_since_utc <= contact.signup_date
      ORDER BY
        zone_since_utc DESC
      LIMIT 1
    ) AS SIGNED)) SECOND
  )) < 2026
  AND (
    EXTRACT(MONTH FROM (
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    )) * 100 + EXTRACT(DAY FROM (
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ))
  ) >= 310
  AND (
    EXTRACT(MONTH FROM (
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    )) * 100 + EXTRACT(DAY FROM (
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ))
  ) <= 316
ORDER BY
  segment,
  contact;

-- a related record
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(c.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CAST(r1.industry AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS company_industry
  FROM contacts AS c
  LEFT JOIN crm.companies AS r1
    ON CAST(c.company_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin = CAST(r1.company_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
  WHERE
    NOT CAST(c.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: company.industry = "Software" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.company_industry = 'Software'
ORDER BY
  segment,
  contact;

-- lists
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE
      WHEN JSON_VALID(tags)
      THEN CASE WHEN JSON_TYPE(tags) = 'ARRAY' THEN tags END
    END AS tags
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: tags has any of ("vip", "it's") */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  'vip' MEMBER OF(contact.tags) OR 'it''s' MEMBER OF(contact.tags)
ORDER BY
  segment,
  contact;

-- places
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE WHEN (
      lat + 0e0
    ) BETWEEN -90 AND 90 THEN lat + 0e0 END AS home_latitude,
    CASE WHEN (
      lon + 0e0
    ) BETWEEN -180 AND 180 THEN lon + 0e0 END AS home_longitude
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- samples
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: in sample 10% of "spring's test" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  SUBSTRING(MD5((
    CONCAT('spring''s test:', CAST(contact.id AS CHAR))
  )), 1, 8) < '1999999a'
ORDER BY
  segment,
  contact;

-- static lists
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: in list "employees" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.id IN (
    SELECT
      CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact
    FROM members
    WHERE
      CAST(list_name AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin = 'employees'
  )
ORDER BY
  segment,
  contact;

-- values of once
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(c.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
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
          CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
          `at` AS t,
          CASE
            WHEN CAST(plan AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('free', 'pro')
            THEN CAST(plan AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
          END AS value
        FROM plans
        WHERE
          `at` >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
          AND `at` <= CAST('2026-02-07 08:00:00' AS DATETIME(6))
      ) AS changes
    ) AS placed
    WHERE
      place = 1
  ) AS h1
    ON h1.contact = CAST(c.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
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
          CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
          `at` AS t,
          CASE
            WHEN CAST(plan AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('free', 'pro')
            THEN CAST(plan AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
          END AS value
        FROM plans
        WHERE
          `at` >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
          AND `at` <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
      ) AS changes
    ) AS placed
    WHERE
      place = 1
  ) AS h2
    ON h2.contact = CAST(c.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
  WHERE
    NOT CAST(c.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: plan was "free" 30d ago and plan = "pro" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.plan = 'free' AND contact.plan_2 = 'pro'
ORDER BY
  segment,
  contact;

-- changes
/* MySQL: this text was never executed by segdsl's own tests */
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
      LAG(value) OVER (PARTITION BY contact ORDER BY t) AS value_before
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
            CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
            `at` AS t,
            CASE
              WHEN CAST(plan AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('free', 'pro')
              THEN CAST(plan AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
            END AS value
          FROM plans
          WHERE
            `at` >= CAST('0001-01-01 00:00:00' AS DATETIME(6)) AND NOT `at` IS NULL
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
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), plan_changed_by_contact AS (
  /* plan changed from "free" to "pro" */
  SELECT
    contact,
    COUNT(*) AS plan_changed_count
  FROM plan_changed
  WHERE
    from_value = 'free'
    AND to_value = 'pro'
    AND t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a sequence
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t,
    CAST(path AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS path
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN p1 IS NULL THEN 1 ELSE 0 END, p1, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        amount AS p1,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), first_visited AS (
  SELECT
    visited.contact,
    t
  FROM visited
  WHERE
    path = '/pricing'
    AND t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
          ORDER BY t, place
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS previous
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          CAST(NULL AS DATETIME(6)) AS previous_of
        FROM (
          SELECT
            purchased.contact,
            t
          FROM purchased
          WHERE
            t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
            AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a sequence that is waited for
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN p1 IS NULL THEN 1 ELSE 0 END, p1, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        amount AS p1,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), first_visited AS (
  SELECT
    contact,
    day_of_asia_kathmandu,
    t
  FROM (
    SELECT
      visited.contact,
      t,
      CAST(DATE(
        (
          t + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= t
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      ) AS DATETIME(6)) AS day_of_asia_kathmandu
    FROM visited
    WHERE
      t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
            ORDER BY t, place
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
          ) AS wait_1
        FROM (
          SELECT
            contact,
            day_of_asia_kathmandu,
            t,
            0 AS place,
            CAST(NULL AS DATETIME(6)) AS wait_1_of
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
                CAST(DATE(
                  (
                    t + INTERVAL (CAST((
                      SELECT
                        zone_shift
                      FROM zone_asia_kathmandu
                      WHERE
                        zone_since_utc <= t
                      ORDER BY
                        zone_since_utc DESC
                      LIMIT 1
                    ) AS SIGNED)) SECOND
                  )
                ) AS DATETIME(6)) AS day_of_asia_kathmandu
              FROM purchased
              WHERE
                t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
      ) <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- a sequence within a time
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), opened AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    (
      `at` - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= `at`
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS t
  FROM mails
  WHERE
    CAST(kind AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('open', 'open again')
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN p1 IS NULL THEN 1 ELSE 0 END, p1, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        amount AS p1,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
      t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
          ORDER BY t, place
          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS begun_early
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          begun,
          own,
          CAST(NULL AS DATETIME(6)) AS begun_early_of
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
              CAST('0001-01-01 00:00:00' AS DATETIME(6)) AS bound
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
                    ORDER BY t, place
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) AS previous,
                  MAX(begun_of) OVER (
                    PARTITION BY contact
                    ORDER BY t, place
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) AS begun
                FROM (
                  SELECT
                    contact,
                    t,
                    0 AS place,
                    CAST(NULL AS DATETIME(6)) AS previous_of,
                    CAST(NULL AS DATETIME(6)) AS begun_of
                  FROM (
                    SELECT
                      visited.contact,
                      t
                    FROM visited
                    WHERE
                      t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
          CAST(NULL AS DATETIME(6)) AS begun,
          CAST(NULL AS DATETIME(6)) AS own,
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
          ORDER BY t, place
          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS upcoming
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          CAST(NULL AS DATETIME(6)) AS upcoming_of
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
              ORDER BY t, place
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS `start`
          FROM (
            SELECT
              contact,
              t,
              0 AS place,
              low,
              own,
              CAST(NULL AS DATETIME(6)) AS start_of
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
                    CAST('2026-03-07 08:00:00' AS DATETIME(6)),
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
                        ORDER BY t, place
                        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
                      ) AS wait_1
                    FROM (
                      SELECT
                        contact,
                        t,
                        0 AS place,
                        begun,
                        begun_early,
                        CAST(NULL AS DATETIME(6)) AS wait_1_of
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
                        CAST(NULL AS DATETIME(6)) AS begun,
                        CAST(NULL AS DATETIME(6)) AS begun_early,
                        t AS wait_1_of
                      FROM (
                        SELECT
                          purchased.contact,
                          t
                        FROM purchased
                        WHERE
                          t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
              CAST(NULL AS DATETIME(6)) AS low,
              CAST(NULL AS DATETIME(6)) AS own,
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
  segment,
  contact;

-- a sequence without
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), opened AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    (
      `at` - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= `at`
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS t
  FROM mails
  WHERE
    CAST(kind AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IN ('open', 'open again')
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN p1 IS NULL THEN 1 ELSE 0 END, p1, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        amount AS p1,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
      t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
          ORDER BY t, place
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS previous,
        MAX(begun_of) OVER (
          PARTITION BY contact
          ORDER BY t, place
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS begun
      FROM (
        SELECT
          contact,
          t,
          0 AS place,
          CAST(NULL AS DATETIME(6)) AS previous_of,
          CAST(NULL AS DATETIME(6)) AS begun_of
        FROM (
          SELECT
            purchased.contact,
            t
          FROM purchased
          WHERE
            t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
            ORDER BY t, place
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS absent
        FROM (
          SELECT
            contact,
            t,
            0 AS place,
            begun,
            CAST(NULL AS DATETIME(6)) AS absent_of
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
            CAST(NULL AS DATETIME(6)) AS begun,
            t AS absent_of
          FROM (
            SELECT
              visited.contact,
              t
            FROM visited
            WHERE
              t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

-- live: a moving window
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH clock AS (
  SELECT
    UTC_TIMESTAMP(6) AS now
), edges AS (
  SELECT
    now,
    (
      now + INTERVAL '-30' DAY
    ) AS edge_1
  FROM clock
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- live: months
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH clock AS (
  SELECT
    UTC_TIMESTAMP(6) AS now
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
        CAST(DATE((
          now + INTERVAL '-1' MONTH
        )) - INTERVAL (
          DAYOFMONTH(DATE((
            now + INTERVAL '-1' MONTH
          ))) - 1
        ) DAY AS DATETIME(6)) + INTERVAL '1' MONTH
      )
    END AS edge_1
  FROM clock
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- live: calendar weeks and quarters
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), clock AS (
  SELECT
    UTC_TIMESTAMP(6) AS now
), periods AS (
  SELECT
    now,
    (
      CAST(DATE(
        (
          now + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= now
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      ) - INTERVAL (WEEKDAY(
        DATE(
          (
            now + INTERVAL (CAST((
              SELECT
                zone_shift
              FROM zone_asia_kathmandu
              WHERE
                zone_since_utc <= now
              ORDER BY
                zone_since_utc DESC
              LIMIT 1
            ) AS SIGNED)) SECOND
          )
        )
      )) DAY AS DATETIME(6)) + INTERVAL '-7' DAY
    ) AS period_1,
    CAST(DATE(
      (
        now + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= now
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      )
    ) - INTERVAL (WEEKDAY(
      DATE(
        (
          now + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= now
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      )
    )) DAY AS DATETIME(6)) AS period_2,
    CAST(MAKEDATE(
      YEAR(
        DATE(
          (
            now + INTERVAL (CAST((
              SELECT
                zone_shift
              FROM zone_asia_kathmandu
              WHERE
                zone_since_utc <= now
              ORDER BY
                zone_since_utc DESC
              LIMIT 1
            ) AS SIGNED)) SECOND
          )
        )
      ),
      1
    ) + INTERVAL (
      QUARTER(
        DATE(
          (
            now + INTERVAL (CAST((
              SELECT
                zone_shift
              FROM zone_asia_kathmandu
              WHERE
                zone_since_utc <= now
              ORDER BY
                zone_since_utc DESC
              LIMIT 1
            ) AS SIGNED)) SECOND
          )
        )
      ) * 3 - 3
    ) MONTH AS DATETIME(6)) AS period_3,
    (
      CAST(MAKEDATE(
        YEAR(
          DATE(
            (
              now + INTERVAL (CAST((
                SELECT
                  zone_shift
                FROM zone_asia_kathmandu
                WHERE
                  zone_since_utc <= now
                ORDER BY
                  zone_since_utc DESC
                LIMIT 1
              ) AS SIGNED)) SECOND
            )
          )
        ),
        1
      ) + INTERVAL (
        QUARTER(
          DATE(
            (
              now + INTERVAL (CAST((
                SELECT
                  zone_shift
                FROM zone_asia_kathmandu
                WHERE
                  zone_since_utc <= now
                ORDER BY
                  zone_since_utc DESC
                LIMIT 1
              ) AS SIGNED)) SECOND
            )
          )
        ) * 3 - 3
      ) MONTH AS DATETIME(6)) + INTERVAL '3' MONTH
    ) AS period_4
  FROM clock
), edges AS (
  SELECT
    now,
    (
      (
        period_1 - INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_local <= period_1
          ORDER BY
            zone_since_local DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_1,
    LEAST(
      (
        (
          period_2 - INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_local <= period_2
            ORDER BY
              zone_since_local DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        ) + INTERVAL '-1' MICROSECOND
      ),
      now
    ) AS edge_2,
    (
      (
        period_3 - INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_local <= period_3
          ORDER BY
            zone_since_local DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_3,
    LEAST(
      (
        (
          period_4 - INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_local <= period_4
            ORDER BY
              zone_since_local DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        ) + INTERVAL '-1' MICROSECOND
      ),
      now
    ) AS edge_4
  FROM periods
), visited AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
    viewed_at AS t
  FROM page_views
  WHERE
    viewed_at >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
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
        ORDER BY CASE WHEN t IS NULL THEN 1 ELSE 0 END, t, CASE WHEN p0 IS NULL THEN 1 ELSE 0 END, p0, CASE WHEN p1 IS NULL THEN 1 ELSE 0 END, p1, CASE WHEN p2 IS NULL THEN 1 ELSE 0 END, p2
      ) AS place
    FROM (
      SELECT
        CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS contact,
        CASE
          WHEN paid_ms BETWEEN -62135596800000 AND 253402300799999
          THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL (
            paid_ms * 1000
          ) MICROSECOND
        END AS t,
        CAST(product AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS p0,
        amount AS p1,
        weight + 0e0 AS p2,
        CAST(order_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS delivery
      FROM orders
    ) AS rows_
  ) AS ranked
  WHERE
    delivery IS NULL OR place = 1
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
  segment,
  contact;

-- live: the day
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at the time of the database's clock */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), clock AS (
  SELECT
    UTC_TIMESTAMP(6) AS now
), periods AS (
  SELECT
    now,
    CAST(DATE(
      (
        now + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= now
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      )
    ) AS DATETIME(6)) AS period_1,
    (
      CAST(DATE(
        (
          now + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= now
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      ) AS DATETIME(6)) + INTERVAL '1' DAY
    ) AS period_2,
    CAST(DATE(
      (
        (
          now + INTERVAL '7' DAY
        ) + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= (
              now + INTERVAL '7' DAY
            )
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      )
    ) AS DATETIME(6)) AS period_3,
    (
      CAST(DATE(
        (
          (
            now + INTERVAL '7' DAY
          ) + INTERVAL (CAST((
            SELECT
              zone_shift
            FROM zone_asia_kathmandu
            WHERE
              zone_since_utc <= (
                now + INTERVAL '7' DAY
              )
            ORDER BY
              zone_since_utc DESC
            LIMIT 1
          ) AS SIGNED)) SECOND
        )
      ) AS DATETIME(6)) + INTERVAL '1' DAY
    ) AS period_4
  FROM clock
), edges AS (
  SELECT
    now,
    (
      (
        period_1 - INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_local <= period_1
          ORDER BY
            zone_since_local DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      ) + INTERVAL '-1' MICROSECOND
    ) AS edge_1,
    (
      (
        period_2 - INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_local <= period_2
          ORDER BY
            zone_since_local DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
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
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    (
      CAST(renewal_date AS DATETIME(6)) - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= CAST(renewal_date AS DATETIME(6))
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS renewal_date,
    signup_date
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
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
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
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
        contact.signup_date + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= contact.signup_date
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      )) * 100 + EXTRACT(DAY FROM (
        contact.signup_date + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= contact.signup_date
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
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
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    )) < (
      SELECT
        edge_3
      FROM edges
    )
    AND (
      EXTRACT(MONTH FROM (
        contact.signup_date + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= contact.signup_date
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      )) * 100 + EXTRACT(DAY FROM (
        contact.signup_date + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= contact.signup_date
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
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
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    )) < (
      SELECT
        edge_5
      FROM edges
    )
    AND (
      EXTRACT(MONTH FROM (
        contact.signup_date + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= contact.signup_date
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
      )) * 100 + EXTRACT(DAY FROM (
        contact.signup_date + INTERVAL (CAST((
          SELECT
            zone_shift
          FROM zone_asia_kathmandu
          WHERE
            zone_since_utc <= contact.signup_date
          ORDER BY
            zone_since_utc DESC
          LIMIT 1
        ) AS SIGNED)) SECOND
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
      contact.signup_date + INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_utc <= contact.signup_date
        ORDER BY
          zone_since_utc DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    )) < (
      SELECT
        edge_5
      FROM edges
    ) - 1
  )
ORDER BY
  segment,
  contact;

-- in JSON: texts and keys
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE
      WHEN JSON_TYPE(data_home_country) = 'STRING'
      THEN CAST(JSON_UNQUOTE(data_home_country) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
    END AS country,
    CASE
      WHEN CASE
        WHEN JSON_TYPE(data_stage) = 'STRING'
        THEN CAST(JSON_UNQUOTE(data_stage) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
      END IN ('lead', 'customer')
      THEN CASE
        WHEN JSON_TYPE(data_stage) = 'STRING'
        THEN CAST(JSON_UNQUOTE(data_stage) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
      END
    END AS stage
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT(CONCAT('$', '.', JSON_QUOTE('home')), '.', JSON_QUOTE('country')))
      END AS data_home_country,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('stage')))
      END AS data_stage
    FROM contacts
  ) AS contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: country = "DE" or stage = "lead" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.country = 'DE' OR contact.stage = 'lead'
ORDER BY
  segment,
  contact;

-- in JSON: numbers
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE
      WHEN JSON_TYPE(data_score) = 'STRING'
      THEN CASE
        WHEN REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^(-?0*[0-9]{1,19})\\z',
          'c'
        )
        THEN CASE
          WHEN CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DECIMAL(38, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807
          THEN CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS SIGNED)
        END
      END
      WHEN JSON_TYPE(data_score) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
      THEN CASE
        WHEN REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^(-?[0-9]+)\\z',
          'c'
        )
        THEN CASE
          WHEN REGEXP_LIKE(
            CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
            '^(-?0*[0-9]{1,19})\\z',
            'c'
          )
          THEN CASE
            WHEN CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DECIMAL(38, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807
            THEN CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS SIGNED)
          END
        END
        ELSE CASE
          WHEN CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) = FLOOR(
            CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE)
          )
          AND CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) >= -9.223372036854776e+18
          AND CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) < 9.223372036854776e+18
          THEN CAST(CAST(CAST(JSON_UNQUOTE(data_score) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) AS SIGNED)
        END
      END
    END AS lead_score,
    CASE
      WHEN JSON_TYPE(data_balance) = 'STRING'
      THEN CASE
        WHEN REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^(-?0*[0-9]{1,10}([.][0-9]{1,2}0*)?)\\z',
          'c'
        )
        THEN CAST(CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DECIMAL(12, 2))
      END
      WHEN JSON_TYPE(data_balance) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
      THEN CASE
        WHEN REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^(-?[0-9]+)\\z',
          'c'
        )
        THEN CASE
          WHEN REGEXP_LIKE(
            CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
            '^(-?0*[0-9]{1,10}([.][0-9]{1,2}0*)?)\\z',
            'c'
          )
          THEN CAST(CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DECIMAL(12, 2))
        END
        ELSE CASE
          WHEN CAST(CAST(CAST(CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) AS CHAR) AS DECIMAL(38, 2)) BETWEEN -9999999999.99 AND 9999999999.99
          THEN CAST(CAST(CAST(CAST(CAST(JSON_UNQUOTE(data_balance) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) AS CHAR) AS DECIMAL(38, 2)) AS DECIMAL(12, 2))
        END
      END
    END AS balance,
    CASE
      WHEN JSON_TYPE(data_ratio) = 'STRING'
      AND REGEXP_LIKE(
        CAST(JSON_UNQUOTE(data_ratio) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
        '^(-?[0-9]+([.][0-9]+)?)\\z',
        'c'
      )
      THEN CAST(CAST(JSON_UNQUOTE(data_ratio) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) + 0e0
      WHEN JSON_TYPE(data_ratio) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
      THEN CAST(CAST(JSON_UNQUOTE(data_ratio) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS DOUBLE) + 0e0
    END AS ratio
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('score')))
      END AS data_score,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('balance')))
      END AS data_balance,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('ratio')))
      END AS data_ratio
    FROM contacts
  ) AS contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: lead score >= 3 or balance > 99.99 or ratio > 0.5 */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.lead_score >= 3 OR contact.balance > 99.99 OR contact.ratio > 0.5e0
ORDER BY
  segment,
  contact;

-- in JSON: booleans
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE
      WHEN JSON_TYPE(data_subscribed) = 'STRING' OR JSON_TYPE(data_subscribed) = 'BOOLEAN'
      THEN CASE CAST(JSON_UNQUOTE(data_subscribed) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
        WHEN 'true'
        THEN TRUE
        WHEN 'false'
        THEN FALSE
      END
    END AS subscribed
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('subscribed')))
      END AS data_subscribed
    FROM contacts
  ) AS contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: subscribed */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.subscribed
ORDER BY
  segment,
  contact;

-- in JSON: times
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE
      WHEN JSON_TYPE(data_signup_date) = 'STRING'
      THEN CASE
        WHEN REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?)\\z',
          'c'
        )
        THEN CAST(CONCAT(
          SUBSTRING(
            REPLACE(
              UPPER(
                CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
              ),
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
                  UPPER(
                    CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
                  ),
                  'T',
                  ' '
                ),
                1,
                26
              )
            ) + 1
          )
        ) AS DATETIME(6))
        WHEN REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?))\\z',
          'c'
        )
        THEN CAST(CONCAT(
          SUBSTRING(
            REPLACE(
              UPPER(
                REGEXP_SUBSTR(
                  CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                  '^[0-9-]{10}[^Zz+-]*'
                )
              ),
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
                  UPPER(
                    REGEXP_SUBSTR(
                      CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                      '^[0-9-]{10}[^Zz+-]*'
                    )
                  ),
                  'T',
                  ' '
                ),
                1,
                26
              )
            ) + 1
          )
        ) AS DATETIME(6)) - INTERVAL (
          CASE
            WHEN SUBSTRING(
              RPAD(
                COALESCE(
                  REPLACE(
                    REGEXP_SUBSTR(
                      CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                      '[+-][0-9:]+$'
                    ),
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
                    REGEXP_SUBSTR(
                      CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                      '[+-][0-9:]+$'
                    ),
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
            ) AS SIGNED) * 60 + CAST(SUBSTRING(
              RPAD(
                COALESCE(
                  REPLACE(
                    REGEXP_SUBSTR(
                      CAST(JSON_UNQUOTE(data_signup_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                      '[+-][0-9:]+$'
                    ),
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
            ) AS SIGNED)
          )
        ) MINUTE
      END
    END AS signup_date
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('signup_date')))
      END AS data_signup_date
    FROM contacts
  ) AS contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: signup date in 30d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.signup_date > CAST('2026-02-07 08:00:00' AS DATETIME(6))
  AND contact.signup_date <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
ORDER BY
  segment,
  contact;

-- in JSON: dates in JSON
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH zone_asia_kathmandu AS (
  SELECT
    zone_since_utc,
    zone_since_local,
    zone_shift
  FROM JSON_TABLE(
    '[["0001-01-01 00:00:00", "0001-01-01 00:00:00", 20476], ["1919-12-31 18:18:44", "1920-01-01 00:00:00", 19800], ["1985-12-31 18:30:00", "1986-01-01 00:15:00", 20700]]'
  , '$[*]' COLUMNS(
    zone_since_utc DATETIME PATH '$[0]',
    zone_since_local DATETIME PATH '$[1]',
    zone_shift INT PATH '$[2]'
  )) AS changes
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    (
      CASE
        WHEN JSON_TYPE(data_renewal_date) = 'STRING'
        AND REGEXP_LIKE(
          CAST(JSON_UNQUOTE(data_renewal_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
          '^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]00:00(:00(\\.0{1,9})?)?[Zz]?)?)\\z',
          'c'
        )
        THEN CAST(CONCAT(
          SUBSTRING(
            REPLACE(
              UPPER(
                SUBSTRING(
                  CAST(JSON_UNQUOTE(data_renewal_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                  1,
                  10
                )
              ),
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
                  UPPER(
                    SUBSTRING(
                      CAST(JSON_UNQUOTE(data_renewal_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                      1,
                      10
                    )
                  ),
                  'T',
                  ' '
                ),
                1,
                26
              )
            ) + 1
          )
        ) AS DATETIME(6))
      END - INTERVAL (CAST((
        SELECT
          zone_shift
        FROM zone_asia_kathmandu
        WHERE
          zone_since_local <= CASE
            WHEN JSON_TYPE(data_renewal_date) = 'STRING'
            AND REGEXP_LIKE(
              CAST(JSON_UNQUOTE(data_renewal_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
              '^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]00:00(:00(\\.0{1,9})?)?[Zz]?)?)\\z',
              'c'
            )
            THEN CAST(CONCAT(
              SUBSTRING(
                REPLACE(
                  UPPER(
                    SUBSTRING(
                      CAST(JSON_UNQUOTE(data_renewal_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                      1,
                      10
                    )
                  ),
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
                      UPPER(
                        SUBSTRING(
                          CAST(JSON_UNQUOTE(data_renewal_date) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin,
                          1,
                          10
                        )
                      ),
                      'T',
                      ' '
                    ),
                    1,
                    26
                  )
                ) + 1
              )
            ) AS DATETIME(6))
          END
        ORDER BY
          zone_since_local DESC
        LIMIT 1
      ) AS SIGNED)) SECOND
    ) AS renewal_date
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('renewal_date')))
      END AS data_renewal_date
    FROM contacts
  ) AS contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: renewal date in next 14d */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  contact.renewal_date > CAST('2026-03-09 08:00:00' AS DATETIME(6))
  AND contact.renewal_date <= CAST('2026-03-23 08:00:00' AS DATETIME(6))
ORDER BY
  segment,
  contact;

-- in JSON: lists in JSON
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id,
    CASE
      WHEN JSON_TYPE(
        CASE
          WHEN JSON_TYPE(data_it_s_the_tags_back_slash) = 'STRING'
          THEN CASE
            WHEN JSON_VALID(
              CAST(JSON_UNQUOTE(data_it_s_the_tags_back_slash) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
            )
            THEN CAST(JSON_UNQUOTE(data_it_s_the_tags_back_slash) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
          END
          ELSE data_it_s_the_tags_back_slash
        END
      ) = 'ARRAY'
      THEN CASE
        WHEN JSON_TYPE(data_it_s_the_tags_back_slash) = 'STRING'
        THEN CASE
          WHEN JSON_VALID(
            CAST(JSON_UNQUOTE(data_it_s_the_tags_back_slash) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
          )
          THEN CAST(JSON_UNQUOTE(data_it_s_the_tags_back_slash) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
        END
        ELSE data_it_s_the_tags_back_slash
      END
    END AS tags
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(
          data,
          CONCAT(
            CONCAT(CONCAT('$', '.', JSON_QUOTE('it''s')), '.', JSON_QUOTE('the "tags"')),
            '.',
            JSON_QUOTE('back\\slash')
          )
        )
      END AS data_it_s_the_tags_back_slash
    FROM contacts
  ) AS contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
)
/* rule: tags has "vip" */
SELECT
  'rule' AS segment,
  contact.id AS contact
FROM contact
WHERE
  'vip' MEMBER OF(contact.tags)
ORDER BY
  segment,
  contact;

-- in JSON: event properties
/* MySQL: this text was never executed by segdsl's own tests */
/* rule at 2026-03-09T08:00:00Z */
WITH visited AS (
  SELECT
    COALESCE(
      alias.contact,
      CAST(e.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
    ) AS contact,
    e.`at` AS t,
    CASE
      WHEN JSON_TYPE(e.data_path) = 'STRING'
      THEN CAST(JSON_UNQUOTE(e.data_path) AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
    END AS path
  FROM (
    SELECT
      *,
      CASE
        WHEN JSON_VALID(data)
        THEN JSON_EXTRACT(data, CONCAT('$', '.', JSON_QUOTE('path')))
      END AS data_path
    FROM page_views
  ) AS e
  LEFT JOIN (
    SELECT
      CAST(alias AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS name,
      MIN(CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin) AS contact
    FROM aliases
    GROUP BY
      CAST(alias AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
  ) AS alias
    ON alias.name = CAST(e.contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin
  WHERE
    e.`at` >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
), contact AS (
  SELECT
    CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin AS id
  FROM contacts
  WHERE
    NOT CAST(contact_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin IS NULL
), visited_by_contact AS (
  /* visited "/pricing" in 30d */
  SELECT
    contact,
    COUNT(*) AS visited_count
  FROM visited
  WHERE
    path = '/pricing'
    AND t > CAST('2026-02-07 08:00:00' AS DATETIME(6))
    AND t <= CAST('2026-03-09 08:00:00' AS DATETIME(6))
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
  segment,
  contact;

