"""What a change would do to the stacks, told before anybody deploys it: `python -m review --base main`.

`review.model` has what a revision's stack holds and how two revisions differ.
"""
