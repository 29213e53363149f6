package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.weights.StateDict;

/** Pictures as clean-fid reads them, beside Pillow's numbers: {@code resources/pictures/pillow}. */
class StoredPicturesTest {

    private static final Path FOLDER = Path.of("src", "test", "resources", "pictures");

    /** What a person sees differs: on white, turned, with all 16 bits, in a profile's colours. */
    private static final Set<String> OTHERWISE =
            Set.of(
                    "gif.gif",
                    "i16.png",
                    "icc.jpg",
                    "l16trns.png",
                    "la.png",
                    "la16.png",
                    "ltrns.png",
                    "palette.png",
                    "rgb16.png",
                    "rgba.png",
                    "rgba16.png",
                    "rgbtrns.png",
                    "turned.jpg",
                    "webp.webp");

    @TempDir private Path folder;

    private static Map<String, Scene> expected() throws IOException {
        Map<String, Scene> expected = new LinkedHashMap<>();
        try (StateDict file = StateDict.read(FOLDER.resolve("pillow").resolve("rgb.npz"))) {
            for (String name : file.names()) {
                NDArray array = file.get(name);
                Shape shape = array.getShape();
                expected.put(
                        name,
                        new Scene((int) shape.get(0), (int) shape.get(1), array.toByteArray()));
            }
        }
        return expected;
    }

    @Test
    void numbersAreThoseOfPillow() throws IOException {
        Map<String, Scene> expected = expected();
        Path pillow = FOLDER.resolve("pillow");
        PictureFolder stored = PictureFolder.asStored(pillow);
        PictureFolder seen = PictureFolder.of(pillow);
        assertEquals(19, stored.size());
        for (long i = 0; i < stored.size(); i++) {
            String name = stored.file(i).getFileName().toString();
            Scene scene = expected.get(name);
            assertArrayEquals(scene.image(), stored.get(i).image(), name);
            assertEquals(scene, stored.get(i), name);
            assertEquals(OTHERWISE.contains(name), !scene.equals(seen.get(i)), name);
        }
        PictureFolder others = PictureFolder.asStored(FOLDER);
        int compared = 0;
        for (long i = 0; i < others.size(); i++) {
            Scene scene = expected.get("in the folder above " + others.file(i).getFileName());
            if (scene != null) {
                assertEquals(scene, others.get(i), others.file(i).toString());
                compared++;
            }
        }
        assertEquals(4, compared);
    }

    /** Of a file without a profile nothing is taken, whatever its segments say. */
    @Test
    void filesAreRefusedAsTheyWere() throws IOException {
        byte[] plain = Files.readAllBytes(FOLDER.resolve("pillow").resolve("turned.jpg"));
        assertArrayEquals(plain, JpegProfile.without(plain));
        byte[] profiled = Files.readAllBytes(FOLDER.resolve("pillow").resolve("icc.jpg"));
        assertTrue(JpegProfile.without(profiled).length < profiled.length);
        for (int length = 3; length < profiled.length; length += 7) {
            byte[] cut = Arrays.copyOf(profiled, length);
            assertFalse(JpegProfile.without(cut).length > length);
            Files.write(folder.resolve("cut.jpg"), cut);
            PictureFolder pictures = PictureFolder.asStored(folder);
            if (length < profiled.length - 10) {
                assertThrows(SceneFileException.class, () -> pictures.get(0), length + " bytes");
            }
        }
    }
}
