package org.slotwise.examples.discover;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.DiscoveryFigure;
import org.slotwise.examples.shared.DiscoveryFigure.What;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.PictureFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.ScenePicture;
import org.slotwise.image.DiscoveredObjects;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "show" of {@link DiscoverObjects}. */
@Command(
        name = "show",
        description = {
            "Draws what the model sees in scenes that it has never seen, or in a picture of your"
                    + " own.",
            ""
        },
        sortOptions = false)
final class ShowDiscovery implements Callable<Integer> {

    private static final int MAX_SCENES = 64;

    /** How long the longest side of a picture of the user's own is drawn. */
    private static final int LARGE = 3 * DiscoveryFigure.PANEL / 2;

    @Option(
            names = "--scenes",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description =
                    "A picture of your own instead: PNG, JPEG, WebP, GIF or BMP. The model sees it at its"
                            + " own size, without its proportions.")
    private @Nullable Path image;

    @Option(
            names = "--what",
            defaultValue = "scenes",
            paramLabel = "NAME",
            description = {
                "What is drawn of each:",
                "scenes: the picture, made again, its segmentation, and each slot's part of it",
                "overlay: the segmentation over the picture",
                "slots: each slot's part of the picture, and what the model makes of it",
                "threshold: the picture where a slot's mask is above a half",
                "attention: what each slot attended to, a row for each iteration",
                "all: all of these.",
                "Default: ${DEFAULT-VALUE}."
            })
    private What what;

    @Mixin private DiscoveryOptions options;

    @Option(
            names = "--output",
            defaultValue = DiscoverObjects.FIGURE,
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        Program.refuseBeside(spec, "--image", "--scenes", "--data-seed");
        Program.requirePng(spec, output);
        OutputFile file = new OutputFile(output);
        file.check(options.model());
        file.check(image);
        try (NDManager manager = NDManager.newBaseManager()) {
            DiscoveryModel model = options.load(spec, manager);
            PrintWriter out = spec.commandLine().getOut();
            if (image == null) {
                draw(
                        out,
                        model,
                        options.iterations(model.task()),
                        options.dataSeed(),
                        scenes,
                        what,
                        output);
            } else {
                List<Image> own = List.of(new PictureFile(image).read(LARGE).scaledTo(LARGE));
                draw(out, model, options.iterations(model.task()), own, what, output);
            }
        }
        return ExitCode.OK;
    }

    /** Draws generated scenes and writes the figure. */
    static void draw(
            PrintWriter out,
            DiscoveryModel model,
            int iterations,
            long dataSeed,
            int scenes,
            What what,
            Path output)
            throws IOException, TranslateException {
        Scenes data = model.task().scenes(dataSeed, scenes);
        List<Image> images = new ArrayList<>();
        for (int i = 0; i < scenes; i++) {
            images.add(ScenePicture.of(data.get(i)));
        }
        draw(out, model, iterations, images, what, output);
    }

    private static void draw(
            PrintWriter out,
            DiscoveryModel model,
            int iterations,
            List<Image> images,
            What what,
            Path output)
            throws IOException, TranslateException {
        try (Discoverer discoverer = new Discoverer(model, iterations)) {
            List<DiscoveredObjects> found = discoverer.discover(images);
            new OutputFile(output).write(DiscoveryFigure.draw(what, images, found));
        }
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
    }
}
