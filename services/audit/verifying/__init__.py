"""Checking a log that somebody else keeps: nothing is taken from it on trust but a public key."""
