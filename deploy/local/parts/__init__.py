"""One module for each part of the stack: how it is started, and how one sees that it is ready."""
