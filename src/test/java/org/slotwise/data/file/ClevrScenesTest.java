package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.ClevrObject.Colour;
import org.slotwise.data.ClevrObject.Material;
import org.slotwise.data.ClevrObject.Shape;
import org.slotwise.data.ClevrObject.Size;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

class ClevrScenesTest {

    @TempDir Path folder;
    private Path images;

    private static final String OBJECT =
            """
            {"color": "gray", "size": "large", "rotation": 178.9, "shape": "cylinder",
             "3d_coords": [-1.5, 2.25, 0.75], "material": "metal", "pixel_coords": [94, 122, 9.2]}""";

    private static String object(String... changes) {
        String object = OBJECT;
        for (int i = 0; i < changes.length; i += 2) {
            assertTrue(object.contains(changes[i]), changes[i]);
            object = object.replace(changes[i], changes[i + 1]);
        }
        return object;
    }

    private static String scene(int index, String... objects) {
        return String.format(
                """
                {"image_index": %d, "objects": [%s], "relationships": {"right": [[1], []]},
                 "image_filename": "CLEVR_new_%06d.png", "split": "new",
                 "directions": {"right": [0.6, 0.7, 0.0]}}""",
                index, String.join(", ", objects), index);
    }

    private static String file(String... scenes) {
        return "{\"info\": {\"split\": \"new\", \"version\": \"1.0\"}, \"scenes\": ["
                + String.join(",\n", scenes)
                + "]}";
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("scenes.json"), text);
    }

    private ClevrScenes.Builder scenes(String text) throws IOException {
        return ClevrScenes.builder().setScenes(write(text)).setImages(images);
    }

    /** Three pictures of CLEVR's size; column c is of the colour c / 2, row r of the green r. */
    @BeforeEach
    void pictures() throws IOException {
        images = Files.createDirectory(folder.resolve("images"));
        for (int i = 0; i < 3; i++) {
            BufferedImage image = new BufferedImage(320, 240, BufferedImage.TYPE_INT_RGB);
            for (int y = 0; y < 240; y++) {
                for (int x = 0; x < 320; x++) {
                    image.setRGB(x, y, ((x / 2) << 16) | (y << 8) | i);
                }
            }
            ImageIO.write(image, "png", images.resolve("CLEVR_new_00000" + i + ".png").toFile());
        }
    }

    @Test
    void readsPropertiesAndPictures() throws IOException {
        ClevrScenes scenes =
                scenes(
                                file(
                                        scene(0, object(), object("gray", "cyan")),
                                        scene(1),
                                        scene(2, object("cylinder", "cube"))))
                        .build();
        assertEquals(3, scenes.size());
        ClevrObject first =
                new ClevrObject(
                        -1.5, 2.25, 0.75, Size.LARGE, Material.METAL, Shape.CYLINDER, Colour.GREY);
        assertEquals(first, scenes.objects(0).get(0));
        assertEquals(Colour.CYAN, scenes.objects(0).get(1).colour());
        assertEquals(List.of(), scenes.objects(1));
        assertEquals(Shape.CUBE, scenes.objects(2).get(0).shape());
        Scene scene = scenes.get(0);
        assertEquals(128, scene.height());
        assertEquals(128, scene.width());
        assertEquals(2, scene.objectCount());
        assertFalse(scene.hasMask());
        assertTrue(Arrays.equals(first.encode(), scene.properties()[0]));
        assertEquals(0, scenes.get(1).properties().length);
        assertEquals(2, scenes.get(2).image()[2], "blue says which picture it is");
        // The whole picture: the last column is of the colour 159 or a little less.
        assertEquals(158, scene.image()[3 * 127] & 0xff, 1.5);
        assertEquals(238, scene.image()[3 * 127 * 128 + 1] & 0xff, 1.5);
        assertThrows(IndexOutOfBoundsException.class, () -> scenes.get(3));
    }

    @Test
    void theCropOfThePapers() throws IOException {
        Scene scene = scenes(file(scene(0))).optCrop(Crop.CLEVR).optSize(192, 192).build().get(0);
        assertEquals(29, scene.image()[1] & 0xff, "the first row");
        assertEquals(64 / 2, scene.image()[0] & 0xff, "the first column");
        int last = 3 * (192 * 192 - 1);
        assertEquals(220, scene.image()[last + 1] & 0xff, "the last row");
        assertEquals(255 / 2, scene.image()[last] & 0xff, "the last column");
        Scene small = scenes(file(scene(0))).optCrop(Crop.CLEVR).optSize(96, 64).build().get(0);
        assertEquals(96, small.height());
        assertEquals(64, small.width());
    }

    @Test
    void scenesOfManyObjectsAreLeftOut() throws IOException {
        String text = file(scene(0, object(), object()), scene(1, object()), scene(2));
        ClevrScenes one = scenes(text).optMaxObjects(1).build();
        assertEquals(2, one.size());
        assertEquals(1, one.get(0).image()[2]);
        assertEquals(3, scenes(text).optMaxObjects(2).build().size());
        assertEquals(1, scenes(text).optMaxObjects(0).build().size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"gray\" | \"pink\" | unknown color \"pink\"",
                "\"gray\" | 7 | color is missing",
                "\"size\" | \"sise\" | size is missing",
                "metal | Metal | unknown material \"Metal\"",
                "cylinder | cone | unknown shape \"cone\"",
                "3d_coords | coords | 3d_coords is missing",
                "[-1.5, | [ | not as CLEVR writes scenes: ",
                "2.25 | \"far\" | not as CLEVR writes scenes: ",
                "0.75] | 0.75, 1] | not as CLEVR writes scenes: ",
                "[-1.5, 2.25, 0.75] | {} | not as CLEVR writes scenes: ",
            })
    void damageNamesFileAndRecord(String from, String to, String message) throws IOException {
        SceneFileException e =
                assertThrows(
                        SceneFileException.class,
                        () -> scenes(file(scene(0, object()), scene(1, object(from, to)))).build());
        String start = folder.resolve("scenes.json") + ", record 1: " + message;
        assertTrue(e.getMessage().startsWith(start), e.getMessage());
        assertEquals(1, e.record());
    }

    @Test
    void aFileThatIsCutShortNamesItself() throws IOException {
        String whole = file(scene(0, object()), scene(1, object()));
        for (int length = 0; length < whole.length(); length += 7) {
            String part = whole.substring(0, length);
            SceneFileException e =
                    assertThrows(SceneFileException.class, () -> scenes(part).build());
            assertTrue(e.getMessage().contains("scenes.json"), e.getMessage());
        }
        for (String other : List.of("[]", "{}", "{\"scenes\": {}}", "\"scenes\"", "PK\u0003")) {
            assertThrows(SceneFileException.class, () -> scenes(other).build());
        }
        assertThrows(
                NoSuchFileException.class,
                () ->
                        ClevrScenes.builder()
                                .setScenes(folder.resolve("none.json"))
                                .setImages(images)
                                .build());
        String noName = file(scene(0).replace("image_filename", "name"));
        SceneFileException e = assertThrows(SceneFileException.class, () -> scenes(noName).build());
        assertTrue(e.getMessage().endsWith("record 0: image_filename is missing"), e.getMessage());
    }

    /** Folders that say nothing of where they are: "." and what leads there. */
    @Test
    void theFolderMayBeTheWorkingOne() throws IOException {
        String text = file(scene(0, object()));
        ClevrScenes expected = scenes(text).build();
        Path here = Path.of("").toAbsolutePath().relativize(images.toAbsolutePath());
        Path up = images.resolve("..").resolve(images.getFileName());
        for (Path same : List.of(here, here.resolve("."), up)) {
            Scene scene = scenes(text).setImages(same).build().get(0);
            assertEquals(expected.get(0), scene);
        }
    }

    @Test
    void namesThatNoFileCanHaveAreMissingPictures() throws IOException {
        String text = file(scene(0, object())).replace("CLEVR_new_000000.png", "CLEVR\\u0000.png");
        ClevrScenes scenes = scenes(text).build();
        SceneFileException e = assertThrows(SceneFileException.class, () -> scenes.get(0));
        assertTrue(e.getMessage().contains("there is no picture CLEVR"), e.getMessage());
    }

    @Test
    void picturesThatAreMissingOrDamagedNameThemselves() throws IOException {
        ClevrScenes scenes = scenes(file(scene(0), scene(7), scene(1))).build();
        SceneFileException missing = assertThrows(SceneFileException.class, () -> scenes.get(1));
        assertEquals(1, missing.record());
        assertTrue(
                missing.getMessage().contains("there is no picture CLEVR_new_000007.png"),
                missing.getMessage());
        Path picture = images.resolve("CLEVR_new_000001.png");
        Files.write(picture, Arrays.copyOf(Files.readAllBytes(picture), 300));
        SceneFileException damaged = assertThrows(SceneFileException.class, () -> scenes.get(2));
        assertTrue(damaged.getMessage().contains("CLEVR_new_000001.png"), damaged.getMessage());
        // A name may not lead out of the folder.
        ImageIO.write(
                new BufferedImage(320, 240, BufferedImage.TYPE_INT_RGB),
                "png",
                folder.resolve("secret.png").toFile());
        String out = file(scene(0).replace("CLEVR_new_000000.png", "../secret.png"));
        assertThrows(SceneFileException.class, () -> scenes(out).build().get(0));
        SceneFileException small =
                assertThrows(
                        SceneFileException.class,
                        () ->
                                scenes(file(scene(0)))
                                        .optCrop(new Crop(100, 0, 141, 10))
                                        .build()
                                        .get(0));
        assertTrue(small.getMessage().contains("is not inside"), small.getMessage());
    }

    @Test
    void optionsAreChecked() throws IOException {
        Path file = write(file(scene(0)));
        assertRefused(
                "ClevrScenes: the file of scenes is missing",
                () -> ClevrScenes.builder().setImages(images).build());
        assertRefused(
                "ClevrScenes: the folder of images is missing",
                () -> ClevrScenes.builder().setScenes(file).build());
        assertRefused(
                "ClevrScenes: height and width must be at least 1, got 0 and 128",
                () -> scenes(file(scene(0))).optSize(0, 128).build());
        assertRefused(
                "ClevrScenes: maxObjects must be at least 0, got -1",
                () -> scenes(file(scene(0))).optMaxObjects(-1).build());
    }
}
