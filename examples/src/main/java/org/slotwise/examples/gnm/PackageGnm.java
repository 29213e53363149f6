package org.slotwise.examples.gnm;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.gnm.Gnm;
import org.slotwise.weights.StateDict;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "package" of {@link ExplainScenes}. */
@Command(
        name = "package",
        description = {
            "Makes one file of a model for programs that are not this one: \"slotwise predict\", DJL's"
                    + " Criteria, DJL Serving and the Spark jobs find the objects of pictures with"
                    + " it.",
            ""
        },
        sortOptions = false)
final class PackageGnm implements Callable<Integer> {

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A model that \"train\" wrote. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--out",
            defaultValue = "gnm.zip",
            paramLabel = "FILE",
            description = "The file, which must end in .zip. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Program.require(spec, output.toString().endsWith(".zip"), "--out must end in .zip", output);
        new OutputFile(output).check(model);
        try (NDManager manager = NDManager.newBaseManager()) {
            Gnm gnm = GnmModel.load(manager, model);
            try (var made = org.slotwise.model.GnmModel.create(gnm.sizes(), 0)) {
                StateDict.of(gnm).loadInto(made.block());
                made.save(output);
            }
        }
        spec.commandLine().getOut().printf("For DJL: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
