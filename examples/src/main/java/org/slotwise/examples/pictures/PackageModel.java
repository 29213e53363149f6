package org.slotwise.examples.pictures;

import ai.djl.nn.Block;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.PictureModel;
import org.slotwise.torchscript.TorchScript;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes one file of a model, for programs that are not these. */
@Command(
        name = "PackageModel",
        header = {"Makes one file of a model: for DJL and DJL Serving, or for PyTorch.", ""},
        description = {
            "Writes a .zip that DJL's Criteria and DJL Serving load by themselves where Slotwise is"
                    + " on their class path, or a TorchScript file that plain PyTorch loads.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:All was written.", "1:Something failed.", "2:An option is wrong."})
public final class PackageModel implements Callable<Integer> {

    @Mixin private ModelOption model;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description =
                    "The file for DJL, which must end in .zip. Default: model.zip, or none beside"
                            + " --torchscript.")
    private @Nullable Path output;

    @Option(
            names = "--torchscript",
            paramLabel = "FILE",
            description =
                    "The file for PyTorch, which must end in .pt; not all models have that form."
                            + " Default: none.")
    private @Nullable Path torchScript;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (output == null && torchScript == null) {
            output = Path.of("model.zip");
        }
        check("--out", output, ".zip");
        check("--torchscript", torchScript, ".pt");
        if (output != null) {
            ObjectDiscoveryModel.requireReplaceable(output);
        }
        PrintWriter out = spec.commandLine().getOut();
        try (PictureModel loaded = model.loadAny()) {
            // First what may not be possible.
            if (torchScript != null) {
                script(loaded).write(torchScript);
                out.printf("For PyTorch: %s%n", torchScript.toAbsolutePath().normalize());
            }
            if (output != null) {
                loaded.save(output);
                out.printf("For DJL: %s%n", output.toAbsolutePath().normalize());
            }
        }
        return ExitCode.OK;
    }

    private void check(String option, @Nullable Path file, String ending) throws IOException {
        if (file != null) {
            Program.require(
                    spec,
                    file.toString().endsWith(ending),
                    option + " must end in " + ending,
                    file);
            new OutputFile(file).check(model.path());
        }
    }

    private TorchScript script(PictureModel any) throws IOException {
        if (!(any instanceof ObjectDiscoveryModel loaded)) {
            throw new IOException(
                    "--torchscript: the model "
                            + model.path()
                            + " counts objects, and has no form for PyTorch. Without"
                            + " --torchscript, --out writes a .zip for DJL");
        }
        try {
            return TorchScript.of(loaded.block());
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "--torchscript: the model "
                            + model.path()
                            + " has no form for PyTorch: its "
                            + inWords(loaded)
                            + " has none. Without --torchscript, --out writes a .zip for DJL",
                    e);
        }
    }

    /** The first part without a form, as model.json has it. */
    private static String inWords(ObjectDiscoveryModel loaded) {
        for (Map.Entry<String, Block> part : loaded.block().parts().entrySet()) {
            try {
                TorchScript.of(part.getValue());
            } catch (IllegalArgumentException e) {
                return part.getKey();
            }
        }
        return "conditioning";
    }
}
