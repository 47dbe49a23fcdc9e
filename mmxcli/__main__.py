from mmxcli.cli.app import main

main()
