"""Claims of the pages and docstrings, each checked by other means than our own: another library, brute force,
a count by hand. What is expected never comes from our code.
"""
