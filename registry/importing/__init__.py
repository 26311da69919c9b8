"""Lists from elsewhere: a file is read with a mapping into a batch, row by row accepted or refused, and a second person
lets the batch into the register.

    begun = staging.begin(path, mapping_text, …)     the file is kept, a batch is made, a job reads it
    accepting.accept(batch)                          a second person; a job registers what was accepted
    reporting.summary(batch), reporting.refused(batch)

The mapping (`mapping`) says which column becomes what; `sheets` reads files of every make; `layout` writes them out
once as numbered rows, from which the reading job (`staging`) can be taken up again anywhere; `rows` turns one row into
what will be stored, or says what is wrong with it; `whole` looks at all rows together.
"""
