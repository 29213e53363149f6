package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

/** Which files are whose masks, in what programs and people leave in folders. */
class MaskNamesTest {

    private static final int SIDE = 4;

    @TempDir Path root;

    /** A picture or a mask that is one value all over. */
    private Path put(String name, int value) throws IOException {
        Path to = root.resolve(name);
        Files.createDirectories(to.getParent());
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        for (int p = 0; p < SIDE * SIDE; p++) {
            image.getRaster().setSample(p % SIDE, p / SIDE, 0, value);
        }
        String kind = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        assertTrue(ImageIO.write(image, kind, to.toFile()));
        return to;
    }

    private SceneFiles.Builder at(String images, String masks) {
        SceneFiles.Builder builder =
                SceneFiles.builder().setPath(root.resolve(images)).setSize(SIDE, SIDE);
        return masks == null ? builder : builder.optMasks(root.resolve(masks));
    }

    /** The labels of all scenes, -1 for one without a mask. */
    private static List<Integer> labels(SceneFiles.Builder builder) throws IOException {
        try (SceneFiles files = builder.build();
                Stream<Scene> scenes = files.open()) {
            return scenes.map(s -> s.hasMask() ? (int) s.mask()[0] : -1).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static String refusal(SceneFiles.Builder builder) {
        return assertThrows(SceneFileException.class, () -> labels(builder)).getMessage();
    }

    /** As predict writes them: a.png is the picture with the masks drawn over it. */
    @Test
    void whatIsCalledAMaskIsOneAndWhatLiesBesideItIsNone() throws IOException {
        for (String a : List.of("a", "b", "c")) {
            put("images/" + a + ".jpg", 9);
            put("found/" + a + ".png", 5);
            if (!a.equals("a")) {
                put("found/" + a + "_mask.png", 7);
            }
        }
        // That a has none is no reason to take the others' overlays.
        String missing = root.resolve("found/a_mask.png").toString();
        assertEquals(
                root.resolve("images/a.jpg") + ": its mask " + missing + " is missing",
                refusal(at("images", "found")));
        assertEquals(List.of(-1, 7, 7), labels(at("images", "found").optPartlyMasked(true)));
        put("found/a_mask.png", 7);
        assertEquals(List.of(7, 7, 7), labels(at("images", "found")));
        put("found/b_seg.png", 7);
        assertEquals(
                root.resolve("found") + ": several kinds of masks, [_mask.png, _seg.png]",
                refusal(at("images", "found")));
    }

    @Test
    void thePictureOfAMaskHasAMask() throws IOException {
        put("images/a.jpg", 9);
        put("images/a_mask.jpg", 9);
        put("masks/a.png", 3);
        put("masks/a_mask.png", 4);
        assertEquals(List.of(3, 4), labels(at("images", "masks")));
    }

    @Test
    void besideImagesTheyMayBeCalledSoToo() throws IOException {
        put("images/a.png", 9);
        put("images/b/c.png", 9);
        put("masks/a_mask.png", 3);
        put("masks/b/c_mask.png", 4);
        assertEquals(List.of(3, 4), labels(at("", null)));
        assertEquals(List.of(3, 4), labels(at("", "masks")));
        assertEquals(List.of(3, 4), labels(at("images", "masks")));
        put("elsewhere/a.png", 5);
        put("elsewhere/b/c.png", 6);
        // Names are those in "images", as without masks.
        assertEquals(List.of(5, 6), labels(at("", "elsewhere")));
    }

    @Test
    void amongThePicturesTheyAreNoPictures() throws IOException {
        put("p/a.png", 9);
        put("p/a_mask.png", 3);
        put("p/b.png", 9);
        put("p/b_mask.png", 4);
        assertEquals(List.of(3, 4), labels(at("p", "p")));
        assertEquals(List.of(3, 4), labels(at("p", null)));
        put("q/a.png", 9);
        assertEquals(
                root.resolve("q")
                        + ": the masks are to lie beside the pictures, and no file is called as"
                        + " one, such as a_mask.png of a.jpg",
                refusal(at("q", "q")));
    }

    @Test
    void anEmptyFolderOfMasksHasNone() throws IOException {
        put("images/a.png", 9);
        Files.createDirectories(root.resolve("masks"));
        try (SceneFiles files = at("", null).build()) {
            assertFalse(files.haveMasks());
        }
        assertEquals(List.of(-1), labels(at("", null)));
    }

    /** What lies where a mask should be, and is called almost as it, is told. */
    @Test
    void aMaskOfAnotherNameIsTold() throws IOException {
        Path a = put("images/a.png", 9);
        put("images/b.png", 9);
        put("masks/b.png", 3);
        Path mask = root.resolve("masks/a.png");
        for (String name : List.of("a.jpg", "a.PNG", "A.png")) {
            Path other = put("masks/" + name, 3);
            assertEquals(
                    a
                            + ": its mask "
                            + mask
                            + " is missing; there is "
                            + name
                            + ", which is not it",
                    refusal(at("", null)));
            assertEquals(leftOver(a, mask, other), refusal(at("", null).optPartlyMasked(true)));
            Files.delete(other);
        }
        Path other = put("masks/a.png.png", 3);
        assertEquals(leftOver(a, mask, other), refusal(at("", null).optPartlyMasked(true)));
        Files.delete(other);
        assertEquals(a + ": its mask " + mask + " is missing", refusal(at("", null)));
        assertEquals(List.of(-1, 3), labels(at("", null).optPartlyMasked(true)));
        Files.createSymbolicLink(mask, root.resolve("gone.png"));
        for (boolean partly : new boolean[] {false, true}) {
            assertEquals(
                    mask + ": this link leads nowhere",
                    refusal(at("", null).optPartlyMasked(partly)));
        }
    }

    private static String leftOver(Path picture, Path mask, Path other) {
        return picture
                + ": its mask "
                + mask
                + " is missing, and "
                + other
                + " is no picture's mask";
    }

    /** Masks of other pictures are none of these pictures' business where each of these has one. */
    @Test
    void masksOfOtherPicturesMayLieThere() throws IOException {
        put("images/a.png", 9);
        put("masks/a.png", 3);
        put("masks/b.png", 4);
        assertEquals(List.of(3), labels(at("", null)));
        assertEquals(List.of(3), labels(at("", null).optPartlyMasked(true)));
    }

    /** The pictures themselves may lie where some of their masks do. */
    @Test
    void besidePicturesOthersMayHaveNone() throws IOException {
        Path a = put("p/a.jpg", 9);
        put("p/b.jpg", 9);
        put("p/b_mask.png", 3);
        Path mask = root.resolve("p/a_mask.png");
        assertEquals(a + ": its mask " + mask + " is missing", refusal(at("p", "p")));
        assertEquals(List.of(-1, 3), labels(at("p", "p").optPartlyMasked(true)));
        for (String name : List.of("a_mask.jpg", "a_Mask.png", "a_mask.PNG")) {
            Path other = put("p/" + name, 3);
            // It would be learnt from as a picture.
            assertEquals(leftOver(a, mask, other), refusal(at("p", null).optPartlyMasked(true)));
            Files.delete(other);
        }
    }

    @Test
    void picturesMayHaveAnyEnding() throws IOException {
        for (String ending : List.of("PNG", "gif", "Jpg", "JPEG", "BMP")) {
            put(ending + "/a." + ending, 9);
            put(ending + "/a_mask.png", 3);
            assertEquals(List.of(3), labels(at(ending, null)), ending);
        }
    }

    /** A folder of other names is not one of pictures without masks. */
    @Test
    void whereSomeMayHaveNoneOneMust() throws IOException {
        put("images/a.png", 9);
        put("images/b.png", 9);
        put("masks/1.png", 3);
        assertEquals(
                root.resolve("masks")
                        + ": no picture has its mask here; that of "
                        + root.resolve("images/a.png")
                        + " would be "
                        + root.resolve("masks/a.png"),
                refusal(at("", null).optPartlyMasked(true)));
        put("masks/b.png", 3);
        assertEquals(
                leftOver(
                        root.resolve("images/a.png"),
                        root.resolve("masks/a.png"),
                        root.resolve("masks/1.png")),
                refusal(at("", null).optPartlyMasked(true)));
        Files.delete(root.resolve("masks/1.png"));
        assertEquals(List.of(-1, 3), labels(at("", null).optPartlyMasked(true).optVoid(8)));
    }
}
