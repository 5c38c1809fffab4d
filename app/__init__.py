"""Ground floor and roof of the house.

The ground floor (`config`, `kernel`, `accounts`, `notices`) knows nothing of the domain; the roof
(`web`, `api`, `schedule`, `cli`, `seeds`, `wiring`, `factory`) joins the rooms together. Imports point
one way, each part may import what stands to its left:

    app.config, app.kernel, app.accounts, app.notices <- community <- escalation <- gamification
        <- app.web, app.api, app.schedule, app.cli, app.seeds, app.wiring, app.factory
"""
