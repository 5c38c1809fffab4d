"""What people say about posts, and what the brand's classifier learns from it.

`sampling` chooses what to ask next, `actions` keep and take back labels and walk a run from fitting to live,
`evidence` makes one answer per post of several people's, `figures` are pure sums.
"""
