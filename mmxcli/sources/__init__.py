"""What can be read: files, folders, standard input. One reader a format; all yield Segments lazily."""
