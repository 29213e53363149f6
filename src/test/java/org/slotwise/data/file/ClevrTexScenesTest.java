package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.file.ClevrTexScenes.Part;

class ClevrTexScenesTest {

    private static final int H = 10;
    private static final int W = 15;

    @TempDir Path folder;

    /** Picture, mask and description; the number of objects differs from picture to picture. */
    private Path put(String name, int number, int objects) throws IOException {
        String stem = String.format(Locale.ROOT, "CLEVRTEX_%s_%06d", name, number);
        Path picture = folder.resolve("clevrtex_" + name + "/" + number / 2 + "/" + stem + ".png");
        Files.createDirectories(picture.getParent());
        Files.write(picture, Pictures.png(H, W, number));
        Files.write(
                picture.resolveSibling(stem + "_flat.png"), Pictures.mask(H, W, 0, 1, number % 5));
        return describe(picture, "[{\"shape\": [{}]}" + ", {}".repeat(objects - 1) + "]");
    }

    private static Path describe(Path picture, String objects) throws IOException {
        Files.writeString(
                Path.of(picture.toString().replace(".png", ".json")),
                "{\"ground_material\": \"a\", \"objects\": " + objects + "}");
        return picture;
    }

    private ClevrTexScenes.Builder all() {
        return ClevrTexScenes.builder().setFolder(folder).optSize(H, W);
    }

    private static String fault(ClevrTexScenes.Builder builder) {
        return assertThrows(SceneFileException.class, builder::build).getMessage();
    }

    private static List<Path> files(ClevrTexScenes scenes) {
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            files.add(scenes.file(i));
        }
        return files;
    }

    @Test
    void scenesComeByTheirNumbers() throws IOException {
        List<Path> pictures = new ArrayList<>();
        for (int i = 0; i < 22; i++) { // folders 0, 1, 10, 2, ... by name
            pictures.add(put("full", i, 3));
        }
        // Other things that its generator can write beside them.
        Files.write(
                pictures.get(0).resolveSibling("CLEVRTEX_full_000000_depth.png"),
                Pictures.png(2, 2, 0));
        assertEquals(pictures, files(all().build()));
        assertEquals(pictures.subList(0, 2), files(all().optPart(Part.TEST).build()));
        assertEquals(pictures.subList(2, 4), files(all().optPart(Part.VALIDATION).build()));
        assertEquals(pictures.subList(4, 22), files(all().optPart(Part.TRAIN).build()));
        Scene scene = all().build().get(14);
        assertEquals(Pictures.scene(Pictures.png(H, W, 14), Pictures.mask(H, W, 0, 1, 4)), scene);
        assertEquals(2, scene.objectCount());
        assertThrows(IndexOutOfBoundsException.class, () -> all().build().get(22));
        Files.delete(pictures.get(13));
        assertEquals(21, all().build().size());
        assertEquals(
                folder + ": parts need the whole data set, and picture 13 is missing",
                fault(all().optPart(Part.TEST)));
    }

    @Test
    void theSquareInTheMiddle() throws IOException {
        put("full", 0, 1);
        Scene whole = Pictures.scene(Pictures.png(H, W, 0), Pictures.mask(H, W, 0, 1, 0));
        ClevrTexScenes scenes = all().optSize(8, 8).optCentre(0.8).build();
        Scene cut = whole.crop(new Crop(1, 3, 8, 8));
        assertEquals(new Scene(8, 8, cut.image(), cut.mask()), scenes.get(0));
        assertEquals(ClevrTexScenes.builder().setFolder(folder).build().get(0).height(), 128);
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> all().optCentre(0.05).build().get(0));
        assertEquals(
                scenes.file(0) + ": too small to be cut, Scene[10 x 15, objects=1]",
                e.getMessage());
    }

    @Test
    void variants() throws IOException {
        Path full = put("full", 0, 1);
        assertEquals(List.of(full), files(all().build()));
        Path outd = put("outd", 0, 1);
        assertEquals(
                folder + ": several variants of ClevrTex, [full, outd]; optVariant takes one",
                fault(all()));
        assertEquals(List.of(outd), files(all().optVariant("outd").build()));
        assertEquals(
                folder + ": no variant camo of ClevrTex, only [full, outd]",
                fault(all().optVariant("camo")));
        assertEquals(
                List.of(full), files(all().setFolder(folder.resolve("clevrtex_full")).build()));
    }

    @Test
    void linkedFolders() throws IOException {
        put("full", 0, 1);
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("clevrtex_full"));
        assertEquals(1, all().setFolder(link).build().size());
        assertEquals(
                "this picture is there twice",
                fault(all()).replaceAll(".*: (this picture is there twice), also as .*", "$1"));
    }

    @Test
    void fewObjects() throws IOException {
        put("full", 0, 3);
        Path some = put("full", 1, 2);
        Path third = put("full", 2, 1);
        assertEquals(List.of(some, third), files(all().optMaxObjects(2).build()));
        Path description = Path.of(some.toString().replace(".png", ".json"));
        Files.delete(description);
        assertEquals(3, all().build().size(), "descriptions are not read unless asked for");
        assertEquals(
                some + ": its description " + description + " is missing",
                fault(all().optMaxObjects(2)));
        for (String objects : List.of("{}", "[{}", "7", "[{}]} {}")) {
            describe(some, objects);
            assertEquals(
                    description.toString(),
                    assertThrows(
                                    SceneFileException.class,
                                    () -> all().optMaxObjects(2).build(),
                                    objects)
                            .file());
        }
        Files.writeString(description, "{\"object\": []}");
        assertEquals(
                description + ": it must have a list of objects", fault(all().optMaxObjects(2)));
    }

    @Test
    void wrongMasks() throws IOException {
        Path picture = put("full", 0, 1);
        Path mask = Path.of(picture.toString().replace(".png", "_flat.png"));
        Files.write(mask, Pictures.mask(W, H, 1));
        SceneFileException e = assertThrows(SceneFileException.class, () -> all().build().get(0));
        assertEquals(mask + ": the mask has 15 x 10 pixels and its image 10 x 15", e.getMessage());
        Files.delete(mask);
        e = assertThrows(SceneFileException.class, () -> all().build().get(0));
        assertEquals(picture + ": its mask " + mask + " is missing", e.getMessage());
    }

    @Test
    void refused() {
        assertEquals(
                folder
                        + ": no picture of ClevrTex in this folder, such as"
                        + " CLEVRTEX_full_000000.png",
                fault(all()));
        assertRefused(
                "ClevrTexScenes: the folder is missing", () -> ClevrTexScenes.builder().build());
        assertRefused(
                "ClevrTexScenes: height and width must be at least 1, got 0 and 3",
                () -> all().optSize(0, 3).build());
        assertRefused(
                "ClevrTexScenes: the fraction must be above 0 and at most 1, got 1.5",
                () -> all().optCentre(1.5).build());
        assertRefused(
                "ClevrTexScenes: the fraction must be above 0 and at most 1, got NaN",
                () -> all().optCentre(Double.NaN).build());
        assertRefused(
                "ClevrTexScenes: maxObjects must be at least 0, got -1",
                () -> all().optMaxObjects(-1).build());
        assertRefused(
                "ClevrTexScenes: maxPixels must be at least 1, got 0",
                () -> all().optMaxPixels(0).build());
    }
}
