"""What the pages say, in English and in Spanish side by side; a file for each page."""
