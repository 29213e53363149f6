package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;

/**
 * Opens a folder for {@link SceneFiles}.
 *
 * @param folder the folder
 * @param masks a folder of masks; null if they are to be looked for
 * @param size what scenes are brought to
 * @param files what opens files
 */
record FolderOpening(Path folder, @Nullable Path masks, PictureScenes size, FileOpening files) {

    /** What lies there; null if nothing does that is known. */
    SceneFiles.@Nullable Found found() throws IOException {
        if (masks != null) {
            return pictures(folder, masks, endingIn(masks));
        }
        if (Files.isDirectory(folder.resolve("scenes"))
                && Files.isDirectory(folder.resolve("images"))) {
            return files.found(SceneFiles.Kind.CLEVR, List.of(clevr()));
        }
        SceneFolder content = SceneFolder.of(folder);
        if (content.clevrTex()) {
            return clevrTex();
        }
        if (!content.files().isEmpty()) {
            Map.Entry<SceneFiles.Kind, List<Path>> only = content.only();
            return files.found(only.getKey(), only.getValue());
        }
        if (!content.maskFolders().isEmpty()) {
            Path first = content.maskFolders().iterator().next();
            if (first.equals(folder.resolve("masks"))) {
                return pictures(folder.resolve("images"), first, null);
            }
            throw new SceneFileException(
                    folder,
                    "it has folders of images and masks inside; give the path of one, such as "
                            + first.getParent(),
                    null);
        }
        if (content.maskEndings().size() > 1) {
            throw new SceneFileException(
                    folder, "several kinds of masks, " + content.maskEndings(), null);
        }
        return content.pictures()
                ? pictures(folder, null, content.maskEndings().stream().findFirst().orElse(null))
                : null;
    }

    private SceneFiles.Found pictures(
            Path images, @Nullable Path maskFolder, @Nullable String ending) throws IOException {
        ImageFolder.Builder builder =
                ImageFolder.builder()
                        .setFolder(images)
                        .setSize(size.height(), size.width())
                        .optFit(size.fit());
        boolean any = maskFolder != null || ending != null;
        if (maskFolder != null) {
            builder.optMasks(maskFolder);
        }
        if (ending != null) {
            builder.optMaskEnding(ending);
        }
        files.checkVoid(any);
        if (size.voidLabel() >= 0) {
            builder.optVoid(size.voidLabel());
        }
        return new SceneFiles.Found(SceneFiles.Kind.PICTURES, any, builder.build(), null);
    }

    private SceneFiles.Found clevrTex() throws IOException {
        Check.option(size.voidLabel() < 0, "SceneFiles: masks of ClevrTex have no void label");
        return new SceneFiles.Found(
                SceneFiles.Kind.CLEVRTEX,
                true,
                ClevrTexScenes.builder()
                        .setFolder(folder)
                        .optSize(size.height(), size.width())
                        .optFit(size.fit())
                        .build(),
                null);
    }

    /** How masks in a folder end, as that of the first picture does; null if as its picture. */
    private @Nullable String endingIn(Path masks) throws IOException {
        Path own = masks.toRealPath();
        boolean same = own.equals(folder.toRealPath());
        for (Path picture : FolderListing.of(folder, path -> false, true)) {
            if (!same && picture.toRealPath().startsWith(own)) {
                continue; // they lie among the pictures
            }
            String name = FolderListing.name(folder.relativize(picture));
            String stem = name.substring(0, name.lastIndexOf('.'));
            if (!same && Files.exists(masks.resolve(stem + ".png"))) {
                return null;
            }
            return SceneFolder.MASK_ENDINGS.stream()
                    .filter(ending -> Files.exists(masks.resolve(stem + ending)))
                    .findFirst()
                    .orElse(null);
        }
        return null;
    }

    /** CLEVR's file of scenes to train on, or the only one. */
    private Path clevr() throws IOException {
        Path train = folder.resolve("scenes/CLEVR_train_scenes.json");
        if (Files.exists(train)) {
            return train;
        }
        TreeSet<Path> scenes = new TreeSet<>();
        try (Stream<Path> all = Files.list(folder.resolve("scenes"))) {
            all.filter(path -> FolderListing.name(path).endsWith("_scenes.json"))
                    .forEach(scenes::add);
        }
        if (scenes.size() != 1) {
            throw new SceneFileException(
                    folder,
                    "there must be scenes/CLEVR_train_scenes.json, or one file of scenes only, got "
                            + scenes,
                    null);
        }
        return scenes.first();
    }
}
