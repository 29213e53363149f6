package org.slotwise.examples.slate;

import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Makes pictures again of their objects, and new ones of objects of several pictures. */
@Command(
        name = "ComposePictures",
        header = {
            "Makes pictures again of their objects, and new ones of objects of several pictures.",
            ""
        },
        description = {
            "Trains a small SLATE, evaluates it, shows what its slots attend to, and composes"
                    + " pictures of slots.",
            ""
        },
        subcommands = {TrainSlate.class, EvaluateSlate.class, ShowSlate.class, ComposeSlate.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class ComposePictures implements Runnable {

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args a command and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new ComposePictures(), args);
    }

    @Override
    public void run() {
        throw Program.commandMissing(spec);
    }
}
