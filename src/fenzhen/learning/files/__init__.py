"""Files of labelled chats as trainers have them: CSV, JSON lines, JSON, Excel, Parquet, Label Studio, chat logs.

rows        a file to raw rows that know where they stand      columns  which column means what
chat_log    one row a message to messages with their history   (formats: delimited, json_files, excel, parquet)
"""
