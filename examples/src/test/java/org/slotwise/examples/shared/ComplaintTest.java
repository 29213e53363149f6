package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class ComplaintTest {

    @Command(name = "Failing")
    private static final class Failing implements Callable<Integer> {

        private final Exception failure;

        @Option(names = "--model")
        private Path model;

        @Option(names = "--images")
        private Path images;

        @Option(names = "--out", defaultValue = "out.png")
        private Path out;

        Failing(Exception failure) {
            this.failure = failure;
        }

        @Override
        public Integer call() throws Exception {
            throw failure;
        }
    }

    private static String complaint(Exception failure, String... args) {
        return Run.of(new Failing(failure), args).err().strip().substring("error: ".length());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "StateDict: no tensor of this name | no tensor of this name",
                "ObjectDiscoveryModel: cannot load m: model.json: ObjectDiscoveryConfiguration: zork"
                        + " is unknown | --model: cannot load m: model.json: zork is unknown",
                "ConditioningConfiguration.Grid: slots must be 4 | slots must be 4",
                "PretrainedBackbone: file must be TorchScript, m is not | --model: file must be"
                        + " TorchScript, m is not",
                "training takes at least 3 pictures, got 1 in i | --images: training takes at least 3"
                        + " pictures, got 1 in i",
                "m does not exist | --model: m does not exist",
                "i/a.png is broken | --images: i/a.png is broken",
                "the folder i does not exist | --images: the folder i does not exist",
                "out.png cannot be written | --out: out.png cannot be written",
                "--images has no effect beside m | --images has no effect beside m",
                // Words that are no paths, classes of the user's, and nothing known.
                "it has no m and no i | it has no m and no i",
                "im.png is broken | im.png is broken",
                "Error: something | Error: something",
                "MyPictures: none | none",
            })
    void isInTheUsersTerms(String message, String expected) {
        assertEquals(
                expected, complaint(new IOException(message), "--model", "m", "--images", "i"));
    }

    @Test
    void leavesNamesThatAreTheUsersOwn() {
        assertEquals(
                "--images: MyPictures: it is empty",
                complaint(new IOException("MyPictures: it is empty"), "--images", "MyPictures"));
    }

    @Test
    void findsTheOptionThatNamesMostOfAPath() {
        String folder = Path.of("x").toAbsolutePath().toString();
        String[] args = {"--images", "x", "--out", "x/y/z.png"};
        assertEquals(
                "--out: the folder " + folder + "/y does not exist",
                complaint(new IOException("the folder " + folder + "/y does not exist"), args));
        assertEquals(
                "--images: " + folder + "/a.png is broken",
                complaint(new IOException(folder + "/a.png is broken"), args));
        assertEquals(
                "--out: x/y/z.png is a folder",
                complaint(new IOException("x/y/z.png is a folder"), args));
    }

    /** How long the names of folders are that have nothing to do with each other says nothing. */
    @ParameterizedTest
    @CsvSource({"short, muchlonger", "muchlonger, short", "in, in/masks", "out/images, out/i"})
    void findsTheLastOfSeveralThatAreNamed(String images, String other) {
        String[] args = {"--images", images, "--model", other, "--out", other + ".png"};
        Path picture = Path.of(images, "a.png").toAbsolutePath();
        Path mask = Path.of(other, "a.png").toAbsolutePath();
        String message = picture + ": its mask " + mask + " is missing";
        assertEquals("--model: " + message, complaint(new IOException(message), args));
        String turned = mask + " is of another size than " + picture;
        assertEquals("--images: " + turned, complaint(new IOException(turned), args));
    }

    @Test
    void tellsTheLibrarysErrorsAsSentences() {
        assertEquals(
                "slots must be at least 1, got 0",
                complaint(
                        new IllegalArgumentException(
                                "SlotAttention: slots must be at least 1, got 0")));
    }

    /** As in a container that says nothing of its language. */
    @Test
    void saysHowNamesInOtherLettersAreRead() {
        String says =
                "a name of a file has letters that the character set here, "
                        + System.getProperty("sun.jnu.encoding")
                        + ", does not have; LC_ALL=C.UTF-8 in the environment gives it all";
        String java = "Malformed input or input contains unmappable characters: ";
        assertEquals(says, complaint(new InvalidPathException("??.png", java.strip())));
        String ofPicocli =
                "Invalid value for option '--model': cannot convert 'm??' to interface"
                        + " java.nio.file.Path (java.nio.file.InvalidPathException: "
                        + java
                        + "m??)";
        assertEquals("--model: " + says, complaint(new IllegalArgumentException(ofPicocli)));
    }
}
