package org.slotwise.image;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Objects as JSON, and back. */
final class ObjectsJson {

    private static final String OBJECT_LIST = "ObjectList";

    private ObjectsJson() {}

    static JsonObject of(ObjectList list) {
        JsonObject json = new JsonObject();
        json.addProperty("height", list.height());
        json.addProperty("width", list.width());
        JsonArray objects = new JsonArray();
        list.objects().forEach(object -> objects.add(of(object)));
        json.add("objects", objects);
        DiscoveredObject background = list.background();
        json.add("background", background == null ? JsonNull.INSTANCE : of(background));
        return json;
    }

    private static JsonObject of(DiscoveredObject object) {
        JsonObject json = new JsonObject();
        json.addProperty("slot", object.slot());
        json.addProperty("score", object.score());
        json.addProperty("area", object.area());
        JsonObject box = new JsonObject();
        box.addProperty("x", object.box().x());
        box.addProperty("y", object.box().y());
        box.addProperty("width", object.box().width());
        box.addProperty("height", object.box().height());
        json.add("box", box);
        JsonObject centre = new JsonObject();
        centre.addProperty("x", object.centre().getX());
        centre.addProperty("y", object.centre().getY());
        json.add("centre", centre);
        json.add("mask", of(object.mask()));
        JsonArray vector = new JsonArray();
        for (float value : object.vector()) {
            vector.add(Float.isFinite(value) ? value : null); // JSON has no other numbers
        }
        json.add("vector", vector);
        return json;
    }

    /** A mask as COCO has it. */
    static JsonObject of(PixelMask mask) {
        JsonObject json = new JsonObject();
        JsonArray size = new JsonArray();
        size.add(mask.height());
        size.add(mask.width());
        json.add("size", size);
        json.addProperty("counts", RunLengthEncoding.of(mask).compressed());
        return json;
    }

    static ObjectList list(String text) {
        JsonObject json = parse(OBJECT_LIST, text, JsonElement::getAsJsonObject);
        return read(
                OBJECT_LIST,
                json,
                () -> {
                    List<DiscoveredObject> objects = new ArrayList<>();
                    for (JsonElement object : json.getAsJsonArray("objects")) {
                        objects.add(object(object.getAsJsonObject()));
                    }
                    JsonElement background = json.get("background");
                    return new ObjectList(
                            json.get("height").getAsInt(),
                            json.get("width").getAsInt(),
                            objects,
                            isThere(background) ? object(background.getAsJsonObject()) : null);
                });
    }

    private static DiscoveredObject object(JsonObject json) {
        return read(
                OBJECT_LIST,
                json,
                () ->
                        new DiscoveredObject(
                                json.get("slot").getAsInt(),
                                json.get("score").getAsDouble(),
                                mask(OBJECT_LIST, json.getAsJsonObject("mask")),
                                vector(json.getAsJsonArray("vector"))));
    }

    private static float[] vector(JsonArray json) {
        float[] vector = new float[json.size()];
        for (int i = 0; i < vector.length; i++) {
            JsonElement value = json.get(i);
            vector[i] = value.isJsonNull() ? Float.NaN : value.getAsFloat();
        }
        return vector;
    }

    /** A mask as COCO has it: compressed, or as a list of counts. */
    static PixelMask mask(String who, JsonObject json) {
        return read(
                who,
                json,
                () -> {
                    JsonArray size = json.getAsJsonArray("size");
                    int height = size.get(0).getAsInt();
                    int width = size.get(1).getAsInt();
                    JsonElement counts = json.get("counts");
                    if (!counts.isJsonArray()) {
                        return RunLengthEncoding.parse(height, width, counts.getAsString()).mask();
                    }
                    int[] numbers = new int[counts.getAsJsonArray().size()];
                    for (int i = 0; i < numbers.length; i++) {
                        numbers[i] = counts.getAsJsonArray().get(i).getAsInt();
                    }
                    return new RunLengthEncoding(height, width, numbers).mask();
                });
    }

    static boolean isThere(@Nullable JsonElement json) {
        return json != null && !json.isJsonNull();
    }

    /** Something that reads. */
    @FunctionalInterface
    interface Reading<T> {
        T get();
    }

    /** Reads a part; where it is of another form the part is shown. */
    static <T> T read(String who, JsonElement part, Reading<T> reading) {
        try {
            return reading.get();
        } catch (NullPointerException
                | ClassCastException
                | UnsupportedOperationException
                | IndexOutOfBoundsException
                | NumberFormatException
                | IllegalStateException e) {
            // How Gson says that something is missing, or of another kind.
            throw new IllegalArgumentException(
                    who + ": something is missing, or of another kind, in " + shown(part), e);
        }
    }

    static <T> T parse(String who, String text, Function<JsonElement, T> kind) {
        try {
            return kind.apply(JsonParser.parseString(text));
        } catch (JsonParseException | IllegalStateException e) {
            throw new IllegalArgumentException(
                    who + ": this is not JSON of that form: " + e.getMessage(), e);
        }
    }

    private static String shown(JsonElement part) {
        String text = part.toString();
        return text.length() <= 120 ? text : text.substring(0, 117) + "...";
    }
}
