"""Reports: figures and tables for papers, slides and decisions."""
