# Puts the mail on standard input into the Maildir that is named.
set -e
mkdir -p "$1/new" "$1/cur" "$1/tmp"
file=$(date +%s.%N).$$.postfix
cat > "$1/tmp/$file"
mv "$1/tmp/$file" "$1/new/$file"
