"""What files of a repository import, of its own files: by language, one file each; all together: graph.py."""
