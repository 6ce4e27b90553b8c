"""Made-up teams on real streets, and how fast and how truly they are answered; nothing here touches a database."""
