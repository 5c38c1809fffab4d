"""Who should answer, and the employees' half of the road: triage, classifier, policy, cases and their clocks.

May import the ground floor and `community`; knows nothing of gamification, web or API.
"""
