package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.model.LatentSlotDiffusion;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "show" of {@link DiffuseSlots}. */
@Command(
        name = "show",
        description = {
            "Draws a row for each picture: the picture; made again by the autoencoder, by the decoder"
                    + " of the first stage, and by diffusion out of its slots; three more of the"
                    + " same slots, each of another noise; its segmentation by the masks of the"
                    + " first stage, by what slots attend to, and by where the denoiser looks; and"
                    + " what belongs to each slot.",
            ""
        },
        sortOptions = false)
final class ShowDiffusion implements Callable<Integer> {

    private static final int MAX_SCENES = 64;

    @Option(
            names = "--scenes",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description = "How many pictures, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private DiffusionOptions options;

    @Option(
            names = "--output",
            defaultValue = "diffusion.png",
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
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager)) {
            Scenes pictures = options.scenes(spec, model, scenes, 1);
            file.write(
                    new DiffusionFigure(model, options.sampling(model, out), options.seed())
                            .sheet(
                                    SceneArrays.images(
                                            manager,
                                            pictures,
                                            LongStream.range(0, pictures.size()).toArray())));
        }
        options.tellOfSprites(out);
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
