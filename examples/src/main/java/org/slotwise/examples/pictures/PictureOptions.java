package org.slotwise.examples.pictures;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.SceneFiles;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Which pictures a command takes. */
final class PictureOptions {

    private static final int MAX_LABEL = 255;

    @Option(
            names = "--images",
            paramLabel = "PATH",
            description = {
                "A folder of pictures (PNG, JPEG, WebP, GIF, BMP) or of folders \"images\" and \"masks\";"
                        + " ClevrTex, CLEVR; tar shards of WebDataset, Parquet, HDF5 or TFRecord."
                        + " They are brought to squares as \"train\" was told by --fit."
            })
    private @Nullable Path images;

    @Option(
            names = "--masks",
            paramLabel = "PATH",
            description =
                    "A folder of masks, a.png or a_mask.png for a.jpg: PNG, a number or a colour"
                            + " for each object, 0 or black for the background. Default: those that"
                            + " lie with the pictures, in \"masks\" or as a_mask.png beside a.png.")
    private @Nullable Path masks;

    @Option(
            names = "--void",
            paramLabel = "LABEL",
            description =
                    "Which number of the masks, 0 to "
                            + MAX_LABEL
                            + ", means that a pixel counts for nothing. Default: none.")
    private @Nullable Integer nothing;

    @Mixin private GeneratedOption generated;

    /** Where the pictures are, unless they are generated. */
    Path images() {
        return Objects.requireNonNull(images, "--images");
    }

    /** Whether there are generated scenes instead. */
    boolean areGenerated() {
        return generated.isGiven();
    }

    /** Scenes that are generated, of the size that a model takes. */
    Scenes generated(CommandSpec spec, long count, long seed, ObjectDiscoveryConfiguration model) {
        return generated.scenes(spec, count, seed, model);
    }

    void check(CommandSpec spec) {
        generated.check(spec, images, masks != null || nothing != null);
        if (nothing != null) {
            Program.requireRange(spec, "--void", nothing, 0, MAX_LABEL);
        }
    }

    /**
     * Reads all pictures once.
     *
     * @param out where it is told how far that is, if it takes long
     * @param model what the model that they are for is made from
     * @throws IOException if a picture or its mask cannot be read, or one is too small
     */
    OwnPictures read(CommandSpec spec, PrintWriter out, ObjectDiscoveryConfiguration model)
            throws IOException {
        try (SceneFiles files = open(spec, model)) {
            return OwnPictures.of(files, model.imageHeight(), nothing, out);
        }
    }

    /** Opens what lies there, as a model is to see it. */
    SceneFiles open(CommandSpec spec, ObjectDiscoveryConfiguration model) throws IOException {
        Path images = images();
        for (Path path : masks == null ? new Path[] {images} : new Path[] {images, masks}) {
            if (!Files.exists(path)) {
                throw new IOException(path + " does not exist");
            }
            if (!Files.isReadable(path)) {
                throw new IOException(path + " cannot be read: permission denied");
            }
        }
        SceneFiles.Builder builder =
                SceneFiles.builder()
                        .setPath(images)
                        .setSize(model.imageHeight(), model.imageWidth())
                        .optPartlyMasked(true)
                        .optFit(model.fit());
        if (masks != null) {
            builder.optMasks(masks);
        }
        if (nothing != null) {
            builder.optVoid(nothing);
        }
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            Program.require(spec, false, "--masks or --void: " + e.getMessage(), images);
            throw e;
        } catch (IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}
