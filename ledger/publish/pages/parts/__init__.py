"""Parts of pages: views of one kind of content, made by several pages or too large for one."""
