"""The pure heart: nouns, journal, policy, views, rules, node, hub. It knows no clock, no socket, no disk, no dice."""
