"""How Countersign is brought up: on AWS, in containers, and on one machine."""
