package org.slotwise.image;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.AtomicFile;

/**
 * The objects of several images in COCO's form, for the tools that read it.
 *
 * <p>Source: the data format of Lin et al., "Microsoft COCO: Common Objects in Context" (2014), for
 * object detection, and that of its results.
 *
 * <pre>{@code
 * {"images": [{"id": 7, "file_name": "a.png", "height": 80, "width": 120}],
 *  "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [3, 40, 12, 14], "area": 130,
 *                   "segmentation": {"size": [80, 120], "counts": "..."}, "iscrowd": 0,
 *                   "score": 0.93, "slot": 1}],
 *  "categories": [{"id": 1, "name": "object"}, {"id": 2, "name": "background"}]}
 * }</pre>
 *
 * <p>Slots have no classes: all objects are of category 1, backgrounds of category 2. Annotations
 * are numbered from 1. COCO has no place for slot vectors: {@link ObjectList#toJson} has.
 *
 * @param images with their objects
 */
public record CocoAnnotations(List<Picture> images) {

    private static final String WHO = "CocoAnnotations";
    private static final int OBJECT = 1;
    private static final int BACKGROUND = 2;
    private static final String BACKGROUND_NAME = "background";
    private static final String IMAGES = "images";
    private static final String ANNOTATIONS = "annotations";

    /**
     * Creates the record.
     *
     * @param images copied
     * @throws IllegalArgumentException if two have one number
     */
    public CocoAnnotations {
        images = List.copyOf(images);
        Map<Long, Picture> byId = new LinkedHashMap<>();
        for (Picture image : images) {
            if (byId.put(image.id(), image) != null) {
                throw new IllegalArgumentException(WHO + ": two images have the id " + image.id());
            }
        }
    }

    /**
     * An image with its objects.
     *
     * @param id the image's number in the data set
     * @param fileName its file
     * @param objects what was found in it
     */
    public record Picture(long id, String fileName, ObjectList objects) {}

    /**
     * Images, annotations and categories: COCO's form of a data set.
     *
     * @return one line of JSON; every number in it is finite
     */
    public String toJson() {
        JsonArray pictures = new JsonArray();
        for (Picture image : images) {
            JsonObject json = new JsonObject();
            json.addProperty("id", image.id());
            json.addProperty("file_name", image.fileName());
            json.addProperty("height", image.objects().height());
            json.addProperty("width", image.objects().width());
            pictures.add(json);
        }
        JsonArray categories = new JsonArray();
        categories.add(category(OBJECT, "object"));
        categories.add(category(BACKGROUND, BACKGROUND_NAME));
        JsonObject all = new JsonObject();
        all.add(IMAGES, pictures);
        all.add(ANNOTATIONS, annotations(true));
        all.add("categories", categories);
        return all.toString();
    }

    private static JsonObject category(int id, String name) {
        JsonObject json = new JsonObject();
        json.addProperty("id", id);
        json.addProperty("name", name);
        return json;
    }

    /**
     * The objects alone, with their scores: COCO's form of results. Backgrounds are left out.
     *
     * @return one line of JSON; every number in it is finite
     */
    public String toResultsJson() {
        return annotations(false).toString();
    }

    private JsonArray annotations(boolean background) {
        JsonArray annotations = new JsonArray();
        for (Picture image : images) {
            DiscoveredObject behind = image.objects().background();
            if (background && behind != null) {
                annotations.add(annotation(annotations.size(), image.id(), BACKGROUND, behind));
            }
            for (DiscoveredObject object : image.objects().objects()) {
                annotations.add(annotation(annotations.size(), image.id(), OBJECT, object));
            }
        }
        return annotations;
    }

    private static JsonObject annotation(
            int before, long image, int category, DiscoveredObject object) {
        JsonObject json = new JsonObject();
        json.addProperty("id", before + 1); // COCO's own evaluation takes 0 for none
        json.addProperty("image_id", image);
        json.addProperty("category_id", category);
        PixelBox box = object.box();
        JsonArray numbers = new JsonArray();
        numbers.add(box.x());
        numbers.add(box.y());
        numbers.add(box.width());
        numbers.add(box.height());
        json.add("bbox", numbers);
        json.addProperty("area", object.area());
        json.add("segmentation", ObjectsJson.of(object.mask()));
        json.addProperty("iscrowd", 0);
        json.addProperty("score", object.score());
        json.addProperty("slot", object.slot());
        return json;
    }

    /**
     * Reads the form of a data set. Of other writers' files masks must be run lengths, no polygons;
     * what has no score gets 1, what has no slot its place among the annotations of its image.
     * Category 2 is the background if it is called so.
     *
     * @param json the text
     * @return the images with their objects, whose slot vectors are empty
     * @throws IllegalArgumentException if it is not of that form; the message says where
     */
    public static CocoAnnotations fromJson(String json) {
        JsonObject all = ObjectsJson.parse(WHO, json, JsonElement::getAsJsonObject);
        return ObjectsJson.read(WHO, all, () -> read(all));
    }

    private static CocoAnnotations read(JsonObject all) {
        boolean named = hasBackground(all);
        Map<Long, List<DiscoveredObject>> objects = new LinkedHashMap<>();
        Map<Long, DiscoveredObject> backgrounds = new LinkedHashMap<>();
        for (JsonElement element : all.getAsJsonArray(ANNOTATIONS)) {
            JsonObject annotation = element.getAsJsonObject();
            ObjectsJson.read(
                    WHO,
                    annotation,
                    () -> {
                        long image = annotation.get("image_id").getAsLong();
                        List<DiscoveredObject> own =
                                objects.computeIfAbsent(image, id -> new ArrayList<>());
                        DiscoveredObject object = object(annotation, own.size());
                        if (named && annotation.get("category_id").getAsInt() == BACKGROUND) {
                            backgrounds.put(image, object);
                        } else {
                            own.add(object);
                        }
                        return image;
                    });
        }
        List<Picture> pictures = new ArrayList<>();
        for (JsonElement element : all.getAsJsonArray(IMAGES)) {
            JsonObject image = element.getAsJsonObject();
            pictures.add(
                    ObjectsJson.read(
                            WHO,
                            image,
                            () -> {
                                long id = image.get("id").getAsLong();
                                return picture(image, id, objects.get(id), backgrounds.get(id));
                            }));
        }
        return new CocoAnnotations(pictures);
    }

    private static boolean hasBackground(JsonObject all) {
        JsonElement categories = all.get("categories");
        if (ObjectsJson.isThere(categories)) {
            for (JsonElement element : categories.getAsJsonArray()) {
                // Other writers add a supercategory, a colour, and whether it is a thing.
                JsonObject category = element.getAsJsonObject();
                if (new JsonPrimitive(BACKGROUND).equals(category.get("id"))
                        && new JsonPrimitive(BACKGROUND_NAME).equals(category.get("name"))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static Picture picture(
            JsonObject image,
            long id,
            @Nullable List<DiscoveredObject> objects,
            @Nullable DiscoveredObject background) {
        return new Picture(
                id,
                image.get("file_name").getAsString(),
                new ObjectList(
                        image.get("height").getAsInt(),
                        image.get("width").getAsInt(),
                        objects == null ? List.of() : objects,
                        background));
    }

    private static DiscoveredObject object(JsonObject annotation, int place) {
        JsonElement slot = annotation.get("slot");
        JsonElement score = annotation.get("score");
        return new DiscoveredObject(
                ObjectsJson.isThere(slot) ? slot.getAsInt() : place,
                ObjectsJson.isThere(score) ? score.getAsDouble() : 1,
                ObjectsJson.mask(WHO, annotation.getAsJsonObject("segmentation")),
                new float[0]);
    }

    /**
     * Writes {@link #toJson} to a file. It is written beside the target and moved there when
     * complete.
     *
     * @param path the target
     * @throws IOException if it cannot be written; the message names the file
     */
    public void write(Path path) throws IOException {
        try {
            AtomicFile.write(path, out -> out.write(toJson().getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new IOException(WHO + ": " + e.getMessage(), e);
        }
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        int objects = images.stream().mapToInt(image -> image.objects().count()).sum();
        return WHO + "[" + objects + " objects in " + images.size() + " images]";
    }
}
