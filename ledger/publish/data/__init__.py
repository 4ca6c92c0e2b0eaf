"""Files of the site that are no pages: data for scripts, the feed, and the summary for other sites."""
