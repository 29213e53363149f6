package org.slotwise.examples.edit;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.slotwise.data.SceneDataset;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "show" of {@link EditLatents}. */
@Command(
        name = "show",
        aliases = "edit",
        description = {
            "Draws a few scenes that the model has never seen: a row for each scene and latent,"
                    + " with the picture, the picture made again of codes, and the same with that"
                    + " latent of one object set to each of its most frequent codes. A bar is under the"
                    + " code that the object has.",
            ""
        },
        sortOptions = false)
final class ShowEdits implements Callable<Integer> {

    private static final int MAX_SCENES = 32;
    private static final int MAX_VALUES = 32;

    /** On so many scenes it is seen which codes are frequent. */
    private static final int COUNTED = 320;

    @Option(
            names = "--scenes",
            defaultValue = "2",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--values",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description =
                    "How many codes of a latent are shown, 1 to "
                            + MAX_VALUES
                            + ". Default: ${DEFAULT-VALUE}.")
    private int values;

    @Mixin private LatentOptions options;

    @Option(
            names = "--output",
            defaultValue = "edit-latents.png",
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
        Program.require(
                spec,
                values >= 1 && values <= MAX_VALUES,
                "--values must be 1 to " + MAX_VALUES,
                values);
        Program.requirePng(spec, output);
        OutputFile file = new OutputFile(output);
        file.check(options.model());
        try (NDManager manager = NDManager.newBaseManager()) {
            DiscreteModel model = DiscreteModel.load(manager, options.model());
            CodeUsage usage = DiscreteScores.of(model, options.dataSeed(), COUNTED).usage();
            List<List<Integer>> shown = new ArrayList<>();
            for (int latent = 0; latent < model.quantizer().latents(); latent++) {
                List<Integer> used = usage.used(latent);
                shown.add(used.subList(0, Math.min(values, used.size())));
            }
            SceneDataset data =
                    SceneDataset.builder()
                            .setScenes(DiscreteModel.TASK.scenes(options.dataSeed(), scenes))
                            .setSampling(scenes, false)
                            .build();
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    Image figure = EditFigure.draw(model, batch.getData().head(), shown);
                    file.write(figure);
                }
            }
        }
        spec.commandLine().getOut().printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
