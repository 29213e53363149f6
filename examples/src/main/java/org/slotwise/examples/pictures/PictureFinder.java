package org.slotwise.examples.pictures;

import ai.djl.modality.cv.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.file.ImageFolder;
import org.slotwise.data.file.NamedScene;
import org.slotwise.data.file.PictureDecoder;
import org.slotwise.data.file.SceneFiles;
import org.slotwise.examples.shared.Picture;
import org.slotwise.examples.shared.PictureFile;
import org.slotwise.examples.shared.ScenePicture;
import org.slotwise.model.PictureModel;

/**
 * Pictures whose objects are to be found: files at their own size, or what else {@link SceneFiles}
 * reads at a model's.
 *
 * @param path a picture, a folder of pictures, or another file or folder of scenes
 * @param model the model that they are for
 * @param longest how long the longest side of a picture may be; of larger ones a smaller copy is
 *     looked at
 */
record PictureFinder(Path path, PictureModel model, int longest) {

    private static final List<String> ENDINGS =
            List.of(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp");

    /** More than a camera takes. */
    private static final long MOST_PIXELS = 1 << 27;

    /**
     * A picture that can be read.
     *
     * @param name what it is called, a path without an ending
     * @param file its file's name, with the folders that it lies in
     * @param read reads it
     */
    record Found(String name, String file, Reading read) {}

    /** Reads a picture. */
    @FunctionalInterface
    interface Reading {
        Picture read() throws IOException;
    }

    /** Takes pictures. */
    @FunctionalInterface
    interface Taker {
        void take(Found picture) throws IOException;
    }

    /** Gives all pictures to somebody, in their order. */
    void each(Taker taker) throws IOException {
        if (Files.isRegularFile(path) && isPicture(path)) {
            taker.take(found(path, path.getFileName()));
            return;
        }
        try (SceneFiles files = open()) {
            if (files.scenes().orElse(null) instanceof ImageFolder folder) {
                for (Found picture : inFolder(folder)) {
                    taker.take(picture);
                }
            } else {
                inFile(files, taker);
            }
        } catch (IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private SceneFiles open() throws IOException {
        return SceneFiles.builder()
                .setPath(path)
                .setSize(model.imageHeight(), model.imageWidth())
                .optFit(model.fit())
                .build();
    }

    private static boolean isPicture(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        return ENDINGS.stream().anyMatch(name::endsWith);
    }

    private List<Found> inFolder(ImageFolder folder) {
        List<Path> files = new ArrayList<>();
        for (long i = 0; i < folder.size(); i++) {
            files.add(folder.file(i));
        }
        // Where pictures and masks have folders of their own, that of the pictures is left out.
        Path images = path.resolve("images");
        boolean inside = files.stream().allMatch(file -> file.startsWith(images));
        Path from = inside ? images : path;
        return files.stream().map(file -> found(file, from.relativize(file))).toList();
    }

    private Found found(Path file, Path relative) {
        String name = relative.toString().replace('\\', '/');
        return new Found(
                withoutEnding(name),
                name,
                () -> {
                    // As in training: turned, whole, or an error.
                    Image image = new PictureDecoder(MOST_PIXELS).decode(file);
                    Picture picture = Picture.of(image);
                    if (picture.longestSide() <= longest) {
                        return picture;
                    }
                    Image small = Picture.of(PictureFile.onPaper(image)).scaledTo(longest);
                    return new Picture(small, picture.width(), picture.height());
                });
    }

    private static String withoutEnding(String file) {
        int dot = file.lastIndexOf('.');
        return dot > file.lastIndexOf('/') + 1 ? file.substring(0, dot) : file;
    }

    /** A name that is stored in an archive, unless it would lead out of a folder, or is none. */
    private static String inside(@Nullable String name, String otherwise) {
        if (name == null) {
            return otherwise;
        }
        try {
            Path path = Path.of(name.replace('\\', '/')).normalize();
            String plain = path.toString().replace('\\', '/');
            boolean leaves = path.isAbsolute() || path.startsWith("..") || path.getRoot() != null;
            return leaves || plain.isEmpty() ? otherwise : plain;
        } catch (InvalidPathException e) {
            return otherwise;
        }
    }

    private static void inFile(SceneFiles files, Taker taker) throws IOException {
        long number = 0;
        try (Stream<NamedScene> scenes = files.named()) {
            for (var each = scenes.iterator(); each.hasNext(); number++) {
                NamedScene next = each.next();
                Image image = ScenePicture.of(next.scene());
                String numbered = String.format(Locale.ROOT, "%06d", number);
                String file = inside(next.name(), numbered);
                taker.take(new Found(withoutEnding(file), file, () -> Picture.of(image)));
            }
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** How many there are, where that is known before they are read. */
    Optional<Long> count() throws IOException {
        if (Files.isRegularFile(path) && isPicture(path)) {
            return Optional.of(1L);
        }
        try (SceneFiles files = open()) {
            return files.scenes().map(scenes -> scenes.size());
        } catch (IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}
