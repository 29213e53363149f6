package org.slotwise.weights;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A file of one JSON object, as Python writes it. */
final class JsonFile {

    /** Numbers that Python writes and JSON does not know. */
    private static final Pattern NO_JSON = Pattern.compile("(:\\s*)(-?Infinity|NaN)(?=\\s*[,}])");

    private JsonFile() {}

    /**
     * Reads the object; Infinity and NaN are texts in it.
     *
     * @param what it should hold, for errors: "options"
     * @throws IOException if it has more bytes, or is no JSON object or more than that; the message
     *     names the file
     */
    static JsonObject read(Path path, String what, long mostBytes) throws IOException {
        if (Files.size(path) > mostBytes) {
            throw new IOException(
                    path + ": expected " + what + ", got " + Files.size(path) + " bytes");
        }
        try (JsonReader reader = new JsonReader(new StringReader(text(path)))) {
            reader.setStrictness(Strictness.STRICT);
            JsonElement all = JsonParser.parseReader(reader);
            if (!all.isJsonObject()) {
                throw new IOException(path + ": expected a JSON object");
            }
            if (!isAtEnd(reader)) {
                throw new IOException(path + ": not valid JSON: there is more behind the object");
            }
            return all.getAsJsonObject();
        } catch (JsonParseException | StackOverflowError e) {
            throw new IOException(path + ": not valid JSON: " + e.getMessage(), e);
        }
    }

    private static boolean isAtEnd(JsonReader reader) throws IOException {
        try {
            return reader.peek() == JsonToken.END_DOCUMENT;
        } catch (MalformedJsonException e) {
            return false;
        }
    }

    private static String text(Path path) throws IOException {
        try {
            return NO_JSON.matcher(Files.readString(path)).replaceAll("$1\"$2\"");
        } catch (CharacterCodingException e) {
            throw new IOException(path + ": not valid JSON: it is no text in UTF-8", e);
        }
    }
}
