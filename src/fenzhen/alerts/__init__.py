"""Alerts about urgent handoffs and stalls: to group chats through Apprise, and as tickets to an HTTP address."""
