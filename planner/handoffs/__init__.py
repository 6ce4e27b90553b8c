"""The way of an opportunity from inside sales to the field and back, and the rules that both sides agreed on."""
