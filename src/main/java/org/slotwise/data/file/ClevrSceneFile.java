package org.slotwise.data.file;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.SceneFileException;

/** CLEVR's file of scenes, read from its start to its end: the whole would need gigabytes. */
final class ClevrSceneFile {

    private final Path file;
    private final JsonReader json;

    /** The scene that is being read, from 0; -1 before the first one. */
    private long record = -1;

    private ClevrSceneFile(Path file, JsonReader json) {
        this.file = file;
        this.json = json;
    }

    /**
     * A scene without its picture.
     *
     * @param record its number in the file
     * @param image the picture's file name
     * @param objects at least none
     */
    record Entry(long record, String image, List<ClevrObject> objects) {}

    static List<Entry> read(Path file) throws IOException {
        InputFile.require(file);
        try (Reader reader = Files.newBufferedReader(file);
                JsonReader json = new JsonReader(reader)) {
            ClevrSceneFile scenes = new ClevrSceneFile(file, json);
            try {
                return scenes.all();
            } catch (SceneFileException e) {
                throw e;
            } catch (IOException | IllegalStateException | IllegalArgumentException e) {
                // How the parser says: cut short or not JSON; of another type; not a number.
                String what = "not as CLEVR writes scenes: " + e.getMessage();
                throw scenes.record < 0
                        ? new SceneFileException(file, what, e)
                        : SceneFileException.inRecord(file, scenes.record, what, e);
            }
        }
    }

    private List<Entry> all() throws IOException {
        List<Entry> entries = null;
        json.beginObject();
        while (json.hasNext()) {
            if (!"scenes".equals(json.nextName())) {
                json.skipValue();
                continue;
            }
            if (entries != null) {
                throw new SceneFileException(file, "there are two lists of scenes", null);
            }
            entries = new ArrayList<>();
            json.beginArray();
            while (json.hasNext()) {
                record++;
                entries.add(scene());
            }
            json.endArray();
        }
        json.endObject();
        if (json.peek() != JsonToken.END_DOCUMENT) {
            throw new SceneFileException(file, "something follows after the scenes", null);
        }
        if (entries == null) {
            throw new SceneFileException(file, "there is no list of scenes", null);
        }
        return entries;
    }

    private Entry scene() throws IOException {
        String image = null;
        List<ClevrObject> objects = null;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "image_filename" -> image = json.nextString();
                case "objects" -> objects = objects();
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new Entry(record, required("image_filename", image), required("objects", objects));
    }

    private List<ClevrObject> objects() throws IOException {
        List<ClevrObject> objects = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            objects.add(object());
        }
        json.endArray();
        return objects;
    }

    private ClevrObject object() throws IOException {
        Map<String, String> words = new HashMap<>();
        double[] place = null;
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            if ("3d_coords".equals(name)) {
                place = place();
            } else if (json.peek() == JsonToken.STRING) {
                words.put(name, json.nextString());
            } else {
                json.skipValue();
            }
        }
        json.endObject();
        double[] at = required("3d_coords", place);
        return new ClevrObject(
                at[0],
                at[1],
                at[2],
                value(words, "size", ClevrObject.Size.class),
                value(words, "material", ClevrObject.Material.class),
                value(words, "shape", ClevrObject.Shape.class),
                value(words, "color", ClevrObject.Colour.class));
    }

    private double[] place() throws IOException {
        double[] place = new double[3];
        json.beginArray();
        for (int axis = 0; axis < place.length; axis++) {
            place[axis] = json.nextDouble();
        }
        json.endArray();
        return place;
    }

    private <E extends Enum<E>> E value(Map<String, String> words, String name, Class<E> of)
            throws SceneFileException {
        String word = required(name, words.get(name));
        String spelt = "gray".equals(word) ? "grey" : word;
        for (E value : of.getEnumConstants()) {
            if (value.name().toLowerCase(Locale.ROOT).equals(spelt)) {
                return value;
            }
        }
        throw new SceneFileException(file, record, "unknown " + name + " \"" + word + "\"");
    }

    private <T> T required(String name, @Nullable T value) throws SceneFileException {
        if (value == null) {
            throw new SceneFileException(file, record, name + " is missing");
        }
        return value;
    }
}
