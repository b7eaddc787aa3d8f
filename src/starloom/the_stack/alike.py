"""How near files are to a better one: those that went as near-duplicates, and those that stay, by their nearest twin.

Pairs are of token streams (`pair`): a content stands for all that have its stream. Of pairs that were not verified no
similarity is known; of a file that is alike to several, the nearest of those it is known of counts.
"""

# Over ledger, pairs and streams; `amount`: the Jaccard similarity to the twin, null where that pair was not
# verified; `goes`: dropped for it.
ALIKE = """
WITH stays AS (
  SELECT l.repo_name, l.path, l.content_id, l.language, l.length_bytes, coalesce(s.stream_id, l.content_id) AS stream
  FROM ledger l LEFT JOIN streams s ON l.content_id = s.content_id WHERE l.split IS NOT NULL),
both_ways AS (
  SELECT "left" AS one, "right" AS other, jaccard FROM pairs
  UNION ALL SELECT "right", "left", jaccard FROM pairs)
SELECT repo_name, path, content_id, jaccard AS amount, language, length_bytes, twin_repo_name, twin_path,
  twin_content_id, true AS goes, true AS decides
FROM ledger WHERE rule = 'near-duplicate'
UNION ALL
SELECT * EXCLUDE (place), false, true FROM (
  SELECT a.repo_name, a.path, a.content_id, p.jaccard, a.language, a.length_bytes, b.repo_name, b.path, b.content_id,
    row_number() OVER (PARTITION BY a.stream ORDER BY p.jaccard DESC NULLS LAST, b.repo_name, b.path) AS place
  FROM both_ways p JOIN stays a ON p.one = a.stream JOIN stays b ON p.other = b.stream)
WHERE place = 1"""
