package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneFileException;
import org.slotwise.metric.Background;
import org.slotwise.metric.MeanBestOverlap;
import org.slotwise.testing.OnDevice;

/** How images and masks lie in folders, as programs and data sets leave them. */
@ExtendWith(OnDevice.class)
class FolderLayoutsTest {

    @TempDir Path root;

    private static Path put(Path to, String resource) throws IOException {
        Files.createDirectories(to.getParent());
        try (InputStream in =
                FolderLayoutsTest.class.getResourceAsStream("/pictures/" + resource)) {
            return Files.write(to, in.readAllBytes());
        }
    }

    private static Path image(Path to) throws IOException {
        return put(to, "clevrtex.png");
    }

    private static ImageFolder.Builder folder(Path folder) {
        return ImageFolder.builder().setFolder(folder).setSize(4, 4);
    }

    private static List<Path> files(ImageFolder folder) {
        return IntStream.range(0, (int) folder.size()).mapToObj(folder::file).toList();
    }

    @Test
    void linksAreFollowedButNotInCircles() throws IOException {
        Path a = image(root.resolve("real/a.png"));
        Path b = image(root.resolve("real/sub/b.png"));
        Path link = Files.createSymbolicLink(root.resolve("link"), Path.of("real"));
        assertEquals(
                List.of(link.resolve("a.png"), link.resolve("sub/b.png")),
                files(folder(link).build()));
        Files.createSymbolicLink(root.resolve("real/sub/up"), Path.of(".."));
        Path other = image(root.resolve("elsewhere/c.png"));
        Files.createSymbolicLink(root.resolve("real/sub/c.png"), other);
        Path real = root.resolve("real");
        assertEquals(List.of(a, b, real.resolve("sub/c.png")), files(folder(real).build()));
        Files.delete(other);
        SceneFileException e = assertThrows(SceneFileException.class, () -> folder(real).build());
        assertEquals(real.resolve("sub/c.png") + ": this link leads nowhere", e.getMessage());
    }

    @Test
    void whatProgramsLeaveBehindIsNoImage() throws IOException {
        Path a = image(root.resolve("a.png"));
        for (String name :
                List.of(
                        "._a.png",
                        ".ipynb_checkpoints/a-checkpoint.png",
                        "__MACOSX/._a.png",
                        "__MACOSX/b.png",
                        "sub/@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg",
                        ".thumbnails/c.tiff")) {
            Path file = root.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "no picture");
        }
        assertEquals(List.of(a), files(folder(root).build()));
        Path hidden = image(root.resolve(".hidden/b.png"));
        assertEquals(
                List.of(hidden),
                files(folder(hidden.getParent()).build()),
                "the folder itself may be called so");
    }

    /** As ClevrTex is published: masks beside images, and descriptions. */
    @Test
    void masksMayLieBesideImages() throws IOException {
        for (String name : List.of("CLEVRTEX_full_000000", "CLEVRTEX_full_000001")) {
            image(root.resolve("0/" + name + ".png"));
            put(root.resolve("0/" + name + "_flat.png"), "clevrtex_flat.png");
            Files.writeString(root.resolve("0/" + name + ".json"), "{}");
        }
        ImageFolder scenes = folder(root).optMaskEnding("_flat.png").build();
        assertEquals(2, scenes.size());
        assertEquals(root.resolve("0/CLEVRTEX_full_000001.png"), scenes.file(1));
        assertEquals(2, scenes.get(0).objectCount());
        assertEquals(2, scenes.get(1).objectCount());
        ImageFolder same = folder(root).optMasks(root).optMaskEnding("_flat.png").build();
        assertEquals(files(scenes), files(same));
        // The same folder without an ending: an image would be its own mask.
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> folder(root).optMasks(root).build());
        assertEquals(root + ": no image in this folder", e.getMessage());
        assertRefused(
                "ImageFolder: the ending of masks must have a dot, got _flat",
                () -> folder(root).optMaskEnding("_flat").build());
    }

    @Test
    void masksMayHaveAnotherEndingAndLieInTheFolderOfImages() throws IOException {
        Path a = image(root.resolve("a.png"));
        put(root.resolve("masks/a_m.gif"), "clevrtex_flat.png");
        ImageFolder scenes =
                folder(root).optMasks(root.resolve("masks")).optMaskEnding("_m.gif").build();
        assertEquals(List.of(a), files(scenes), "masks are no images");
        assertEquals(2, scenes.get(0).objectCount());
        put(root.resolve("masks/a.png"), "clevrtex_flat.png");
        assertEquals(List.of(a), files(folder(root).optMasks(root.resolve("masks")).build()));
    }

    /** As Pascal VOC has them: objects 1 and 2, their borders 255. */
    @Test
    void voidGoesFromFileToMetric(NDManager manager) throws Exception {
        image(root.resolve("i/a.png"));
        Path mask = put(root.resolve("m/a.png"), "voc-mask.png");
        BufferedImage size = ImageIO.read(mask.toFile());
        int height = size.getHeight();
        int width = size.getWidth();
        ImageFolder scenes =
                ImageFolder.builder()
                        .setFolder(root.resolve("i"))
                        .optMasks(root.resolve("m"))
                        .setSize(height, width)
                        .optVoid(255)
                        .build();
        Scene scene = scenes.get(0);
        assertEquals(2, scene.objectCount());
        assertEquals(OptionalInt.of(255), scene.voidLabel());
        SceneDataset data = SceneDataset.builder().setScenes(scenes).setSampling(1, false).build();
        for (Batch batch : data.getData(manager)) {
            NDArray labels = batch.getLabels().get(1);
            long[] read = labels.toLongArray();
            long[] guess = read.clone();
            int nothing = 0;
            for (int p = 0; p < read.length; p++) {
                int stored = size.getRaster().getSample(p % width, p / width, 0);
                assertEquals(stored == 255 ? -1 : stored, read[p]);
                nothing += stored == 255 ? 1 : 0;
                guess[p] = stored == 255 ? 3 : stored;
            }
            assertEquals(true, nothing > 0);
            double score =
                    new MeanBestOverlap(Background.LEFT_OUT)
                            .score(labels, manager.create(guess, labels.getShape()))
                            .mean()
                            .getDouble();
            assertEquals(1, score, "what lies on the borders counts for nobody");
            batch.close();
        }
        assertRefused(
                "ImageFolder: the void label must be 0 to 255, got 256",
                () -> folder(root).optVoid(256));
    }

    @Test
    void voidNeedsLabels() throws IOException {
        image(root.resolve("i/a.png"));
        BufferedImage size = ImageIO.read(root.resolve("i/a.png").toFile());
        Path mask = root.resolve("m/a.png");
        Files.createDirectories(mask.getParent());
        ImageIO.write(
                new BufferedImage(size.getWidth(), size.getHeight(), BufferedImage.TYPE_INT_RGB),
                "png",
                mask.toFile());
        ImageFolder scenes =
                folder(root.resolve("i")).optMasks(root.resolve("m")).optVoid(255).build();
        SceneFileException e = assertThrows(SceneFileException.class, () -> scenes.get(0));
        assertEquals(
                mask + ": a void label needs masks of one channel, and this one has colours",
                e.getMessage());
    }

    @Test
    void scenesKeepTheirVoid() {
        Scene scene = new Scene(1, 4, new byte[12], new byte[] {0, 1, 9, 9});
        assertEquals(2, scene.objectCount());
        Scene known = scene.withVoid(9);
        assertEquals(1, known.objectCount());
        assertEquals(OptionalInt.empty(), scene.voidLabel());
        assertEquals(OptionalInt.of(9), known.crop(new Crop(0, 1, 1, 2)).voidLabel());
        assertEquals(OptionalInt.of(9), known.resize(2, 8).voidLabel());
        assertEquals(2, scene.withVoid(0).objectCount());
        assertEquals(2, scene.withVoid(7).objectCount(), "none of it there");
        assertEquals(5, new Scene(1, 4, new byte[12], new byte[4], 5).withVoid(0).objectCount());
        assertEquals(false, scene.equals(known));
        assertArrayEquals(scene.mask(), known.mask());
        assertRefused("Scene: the void label must be 0 to 255, got -1", () -> scene.withVoid(-1));
        assertThrows(IllegalStateException.class, () -> new Scene(1, 1, new byte[3]).withVoid(0));
    }
}
