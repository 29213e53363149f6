package org.slotwise.examples.gnm;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.gnm.Gnm;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "show" of {@link ExplainScenes}. */
@Command(
        name = "show",
        description = {
            "Draws a row for each picture: the picture, drawn again, with the frames of its objects,"
                    + " its segmentation, its objects, its background, and made again of its scene"
                    + " latent; and below six scenes that the model makes.",
            ""
        },
        sortOptions = false)
final class ShowGnm implements Callable<Integer> {

    private static final int MAX_SCENES = 64;

    @Option(
            names = "--scenes",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description = "How many pictures, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private GnmOptions options;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What scene latents are drawn by. Default: ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--output",
            defaultValue = "gnm.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requirePng(spec, output);
        options.refuseAmongPictures(spec, "--output", output);
        OutputFile file = new OutputFile(output);
        file.check(options.model());
        try (NDManager manager = NDManager.newBaseManager()) {
            Gnm gnm = options.load(manager);
            Scenes pictures = options.scenes(spec, gnm, scenes);
            int count = (int) pictures.size();
            Engine.getInstance().setRandomSeed(seed);
            file.write(new GnmFigure(gnm).sheet(LearntScenes.images(manager, pictures, 0, count)));
        }
        spec.commandLine().getOut().printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
