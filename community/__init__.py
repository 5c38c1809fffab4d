"""The road itself: listen, decide, task, claim, draft, review, post, follow up.

May import `app.config`, `app.kernel`, `app.accounts` and `app.notices`; knows nothing of escalation,
gamification, web or API. What it needs of them it asks through `ports`, what follows from it travels as events.
"""
