"""The perfect day: what people of each role set out to do on a day, how far they are, and for how long they have."""
