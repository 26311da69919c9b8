"""The demonstration: the Republic of Sample, its people and its office, brought through the real functions.

`preparing` makes or empties the database, `seeding` lets the office do three months of work, each step as the person
whose work it is, and `serving` runs web and worker side by side until Ctrl-C.
"""
