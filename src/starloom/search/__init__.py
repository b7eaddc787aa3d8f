"""Full-text search of the dataset: words, exact pieces of text, filters; every hit verified on the text.

query (nodes, terms, values, place): what was asked. matching (identifiers, patterns): what it means on one file.
fields, layout: what the index holds. build and what it calls: how it is made. candidates (required, needs): how it is
asked. ask, local, shard, index: asked, wherever its shards are. hits, facets, cursor: what is answered.
"""
