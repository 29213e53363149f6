package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
 * @param partlyMasked whether pictures in folders may lack masks where others have some
 * @param size what scenes are brought to
 * @param files what opens files
 */
record FolderOpening(
        Path folder,
        @Nullable Path masks,
        boolean partlyMasked,
        PictureScenes size,
        FileOpening files) {

    /** What lies there; null if nothing does that is known. */
    SceneFiles.@Nullable Found found() throws IOException {
        if (masks != null) {
            Path images = folder.resolve("images");
            boolean both = Files.isDirectory(images) && Files.isDirectory(folder.resolve("masks"));
            return pictures(both ? images : folder, masks);
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
                Path images = folder.resolve("images");
                return MaskNames.areIn(first)
                        ? pictures(images, first)
                        : pictures(images, null, null);
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

    /** Pictures with masks in a folder of their own. */
    private SceneFiles.Found pictures(Path images, Path masks) throws IOException {
        Path own = masks.toRealPath();
        boolean beside = own.equals(images.toRealPath());
        List<Path> pictures = new ArrayList<>();
        for (Path picture : FolderListing.of(images, path -> false, true)) {
            // Masks may lie among the pictures.
            if (beside || !picture.toRealPath().startsWith(own)) {
                pictures.add(picture);
            }
        }
        return pictures(images, masks, MaskNames.ending(pictures, images, masks));
    }

    private SceneFiles.Found pictures(
            Path images, @Nullable Path maskFolder, @Nullable String ending) throws IOException {
        ImageFolder.Builder builder =
                ImageFolder.builder()
                        .setFolder(images)
                        .setSize(size.height(), size.width())
                        .optFit(size.fit())
                        .optPartlyMasked(partlyMasked);
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
