package org.slotwise.data.file;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/** The files of ClevrTex: which there are, and how many objects a description has. */
final class ClevrTexFiles {

    static final String MASK = "_flat.png";
    private static final String PICTURE = ".png";
    private static final Pattern NAME = Pattern.compile("CLEVRTEX_([a-z]+)_(\\d{6})\\.png");

    private ClevrTexFiles() {}

    /** Whether a file is a picture of ClevrTex, by its name. */
    static boolean isPicture(Path file) {
        return name(file).isPresent();
    }

    private static Optional<Matcher> name(Path file) {
        Path last = file.getFileName();
        return Optional.of(NAME.matcher(last == null ? "" : last.toString()))
                .filter(Matcher::matches);
    }

    /**
     * The pictures in the order of their numbers, which the data set is divided by; that of their
     * paths would be another.
     *
     * @param variant which of the data sets; null if the folder has but one
     */
    static SortedMap<Integer, Path> pictures(Path folder, @Nullable String variant)
            throws IOException {
        Map<String, TreeMap<Integer, Path>> variants = new TreeMap<>();
        List<Path> nowhere = new ArrayList<>();
        FolderWalk.over(
                folder,
                path -> false,
                (file, leadsNowhere) -> {
                    Matcher name = name(file).orElse(null);
                    if (name == null) {
                        return;
                    }
                    if (leadsNowhere) {
                        nowhere.add(file);
                    }
                    int number = Integer.parseInt(name.group(2));
                    Path other =
                            variants.computeIfAbsent(name.group(1), v -> new TreeMap<>())
                                    .put(number, file);
                    if (other != null) {
                        throw new SceneFileException(
                                file, "this picture is there twice, also as " + other, null);
                    }
                });
        if (!nowhere.isEmpty()) {
            throw new SceneFileException(nowhere.get(0), "this link leads nowhere", null);
        }
        if (variants.isEmpty()) {
            throw new SceneFileException(
                    folder,
                    "no picture of ClevrTex in this folder, such as CLEVRTEX_full_000000.png",
                    null);
        }
        if (variant == null && variants.size() > 1) {
            throw new SceneFileException(
                    folder,
                    "several variants of ClevrTex, " + variants.keySet() + "; optVariant takes one",
                    null);
        }
        SortedMap<Integer, Path> pictures =
                variants.get(variant == null ? variants.keySet().iterator().next() : variant);
        if (pictures == null) {
            throw new SceneFileException(
                    folder,
                    "no variant " + variant + " of ClevrTex, only " + variants.keySet(),
                    null);
        }
        return pictures;
    }

    /** The first number that is not there below the largest one. */
    static OptionalInt gap(SortedMap<Integer, Path> pictures) {
        return IntStream.range(0, pictures.lastKey())
                .filter(i -> !pictures.containsKey(i))
                .findFirst();
    }

    /** The mask of a picture. */
    static Path mask(Path picture) throws SceneFileException {
        return beside(picture, MASK, "its mask ");
    }

    private static Path beside(Path picture, String ending, String what) throws SceneFileException {
        String name = FolderListing.name(picture);
        String stem = name.substring(name.lastIndexOf('/') + 1, name.length() - PICTURE.length());
        Path file = picture.resolveSibling(stem + ending);
        if (!Files.exists(file)) {
            throw new SceneFileException(picture, what + file + " is missing", null);
        }
        return file;
    }

    /** How many objects the description of a picture has. */
    static int objects(Path picture) throws IOException {
        Path file = beside(picture, ".json", "its description ");
        InputFile.require(file);
        int objects = -1;
        try (Reader reader = Files.newBufferedReader(file);
                JsonReader json = new JsonReader(reader)) {
            json.beginObject();
            while (json.hasNext()) {
                if (!"objects".equals(json.nextName())) {
                    json.skipValue();
                    continue;
                }
                json.beginArray();
                for (objects = 0; json.hasNext(); objects++) {
                    json.skipValue();
                }
                json.endArray();
            }
            json.endObject();
            if (objects < 0 || json.peek() != JsonToken.END_DOCUMENT) {
                throw new SceneFileException(file, "it must have a list of objects", null);
            }
            return objects;
        } catch (SceneFileException e) {
            throw e;
        } catch (IOException | IllegalStateException e) { // cut short or no JSON; of another type
            throw new SceneFileException(
                    file, "not as ClevrTex describes scenes: " + e.getMessage(), e);
        }
    }
}
